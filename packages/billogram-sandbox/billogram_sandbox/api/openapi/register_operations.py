"""The operations of registers, settings, and billing tabs, one line each."""

from billogram_sandbox.account import pictures, reports, settings
from billogram_sandbox.api.openapi.operation import Operation, list_parameters
from billogram_sandbox.api.openapi.schemas import ShapeType
from billogram_sandbox.api.responses import registers as responses
from billogram_sandbox.api.responses.billograms import Billogram
from billogram_sandbox.api.responses.envelope import Listed, Many, Nothing, One
from billogram_sandbox.control_plane import external_events
from billogram_sandbox.core.documents import Json
from billogram_sandbox.lifecycle import billing_tabs
from billogram_sandbox.registers import attachments, einvoices, items, mandates
from billogram_sandbox.request_context import Handler
from billogram_sandbox.shapes.item import ItemChange, NewItem
from billogram_sandbox.shapes.settings import Business
from billogram_sandbox.shapes.tab import NewTabItem, TabSettings

CUSTOMER_PARAMETER: dict[str, Json] = {"customer_no": {"type": "integer", "minimum": 0}}
DEDUPLICATION_PARAMETER: dict[str, Json] = {
    billing_tabs.DEDUPLICATION_HEADER: {
        "type": "string",
        "minLength": 1,
        "maxLength": billing_tabs.DEDUPLICATION_ID_MAX,
    }
}
PICTURE: dict[str, tuple[str, ShapeType, ShapeType | None]] = {
    "GET": ("Show", One[responses.PictureResponse], None),
    "POST": ("Set", One[responses.PictureResponse], pictures.Picture),
    "PUT": ("Set", One[responses.PictureResponse], pictures.Picture),
    "DELETE": ("Remove", One[Nothing], None),
}

REGISTER_OPERATIONS: dict[Handler, Operation] = {
    attachments.get: Operation("Show the attached PDF", One[responses.Attachment]),
    items.listing: Operation("List items", Many[responses.Item], query=list_parameters(items.LISTING)),
    items.create: Operation("Create an item", One[responses.Item], NewItem),
    items.get: Operation("Show an item", One[responses.Item]),
    items.update: Operation("Change an item", One[responses.Item], ItemChange),
    items.delete: Operation("Delete an item", One[Nothing]),
    settings.get: Operation("Show the account's settings", One[responses.SettingsResponse]),
    settings.update: Operation("Change the account's settings", One[responses.SettingsResponse], Business),
    reports.listing: Operation("List reports", Many[responses.Report], query=list_parameters(reports.LISTING)),
    reports.get: Operation("Show a report", One[responses.WholeReport]),
    einvoices.get: Operation("Show an e-invoice registration", One[responses.Einvoice]),
    einvoices.register: Operation("Register for e-invoices", One[responses.Einvoice], einvoices.Registration),
    einvoices.receive_bank_message: Operation(
        "A message of the recipient's bank", responses.BankMessageResponse, einvoices.BankMessage
    ),
    mandates.listing: Operation(
        "List payment sources",
        Listed[responses.PaymentSource],
        query=CUSTOMER_PARAMETER,
        no_content="None",
        names_another=True,
    ),
    mandates.create: Operation("Import a mandate", One[responses.Mandate], mandates.NewMandate, names_another=True),
    mandates.cancel: Operation("Cancel a payment source", One[responses.PaymentSource]),
    mandates.set_status: Operation("The bank's decision on a mandate", responses.PaymentSource, mandates.StatusChange),
    billing_tabs.get_settings: Operation("Show how tabs are billed", One[responses.TabSettingsResponse]),
    billing_tabs.put_settings: Operation("Change how tabs are billed", One[responses.TabSettingsResponse], TabSettings),
    billing_tabs.post_settings: Operation("Set how tabs are billed", One[responses.TabSettingsResponse], TabSettings),
    billing_tabs.delete_settings: Operation("Reset how tabs are billed", One[Nothing]),
    billing_tabs.add_item: Operation(
        "Add to the open tab", One[responses.TabItem], NewTabItem, headers=DEDUPLICATION_PARAMETER
    ),
    billing_tabs.get_item: Operation("Show an item of a tab", One[responses.TabItem]),
    billing_tabs.delete_item: Operation("Remove an item of a tab", One[Nothing]),
    billing_tabs.get_open: Operation("Show the open tab", One[responses.Tab]),
    billing_tabs.get: Operation("Show a tab", One[responses.Tab]),
    billing_tabs.delete: Operation("Delete an open tab", One[Nothing]),
    external_events.set_factoring_outcome: Operation(
        "The factoring partner's decision", Billogram, external_events.FactoringOutcome
    ),
} | {
    handler: Operation(f"{PICTURE[verb][0]} the {name}", *PICTURE[verb][1:])
    for name, verb, handler in pictures.HANDLERS
}
