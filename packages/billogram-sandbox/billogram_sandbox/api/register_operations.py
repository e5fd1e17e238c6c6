"""What the registers' handlers take and answer, one line each."""

from billogram_sandbox.account import pictures, reports, settings
from billogram_sandbox.api import register_answers as shown
from billogram_sandbox.api.answers import Billogram, Listed, Many, Nothing, One
from billogram_sandbox.api.described import Operation, listed
from billogram_sandbox.api.json_schemas import Shapes
from billogram_sandbox.call import Handler
from billogram_sandbox.control_plane import outside
from billogram_sandbox.core.documents import Json
from billogram_sandbox.life import attachments, billing_tabs
from billogram_sandbox.registers import einvoices, items, mandates
from billogram_sandbox.shapes.item import ItemChange, NewItem
from billogram_sandbox.shapes.settings import Business
from billogram_sandbox.shapes.tab import NewTabItem, TabSettings

OF_CUSTOMER: dict[str, Json] = {"customer_no": {"type": "integer", "minimum": 0}}
ONCE: dict[str, Json] = {billing_tabs.HEADER: {"type": "string", "minLength": 1, "maxLength": billing_tabs.HEADER_MAX}}
PICTURE: dict[str, tuple[str, Shapes, Shapes | None]] = {
    "GET": ("Show", One[shown.PictureAnswer], None),
    "POST": ("Set", One[shown.PictureAnswer], pictures.Picture),
    "PUT": ("Set", One[shown.PictureAnswer], pictures.Picture),
    "DELETE": ("Remove", One[Nothing], None),
}

REGISTERS: dict[Handler, Operation] = {
    attachments.get: Operation("The PDF that is attached", One[shown.Attachment]),
    items.listing: Operation("List items", Many[shown.Item], query=listed(items.LISTING)),
    items.create: Operation("Make an item", One[shown.Item], NewItem),
    items.get: Operation("Show an item", One[shown.Item]),
    items.update: Operation("Change an item", One[shown.Item], ItemChange),
    items.delete: Operation("Delete an item", One[Nothing]),
    settings.get: Operation("Show the account's settings", One[shown.SettingsAnswer]),
    settings.update: Operation("Change the account's settings", One[shown.SettingsAnswer], Business),
    reports.listing: Operation("List reports", Many[shown.Report], query=listed(reports.LISTING)),
    reports.get: Operation("Show a report", One[shown.WholeReport]),
    einvoices.get: Operation("Show a registration for e-invoices", One[shown.Einvoice]),
    einvoices.register: Operation("Register for e-invoices", One[shown.Einvoice], einvoices.Registration),
    einvoices.tell: Operation("What happened at the recipient's bank", shown.EinvoiceTold, einvoices.Told),
    mandates.listing: Operation(
        "List payment sources", Listed[shown.PaymentSource], query=OF_CUSTOMER, nothing="None", names_another=True
    ),
    mandates.create: Operation("Import a mandate", One[shown.Mandate], mandates.NewMandate, names_another=True),
    mandates.cancel: Operation("Cancel a payment source", One[shown.PaymentSource]),
    mandates.tell: Operation("The bank's answer", shown.PaymentSource, mandates.Answer),
    billing_tabs.get_settings: Operation("Show how tabs are billed", One[shown.TabSettingsAnswer]),
    billing_tabs.put_settings: Operation("Change how tabs are billed", One[shown.TabSettingsAnswer], TabSettings),
    billing_tabs.post_settings: Operation("Set how tabs are billed", One[shown.TabSettingsAnswer], TabSettings),
    billing_tabs.delete_settings: Operation("Bill tabs as usual", One[Nothing]),
    billing_tabs.add_item: Operation("Add to the open tab", One[shown.TabItem], NewTabItem, headers=ONCE),
    billing_tabs.get_item: Operation("Show an item of a tab", One[shown.TabItem]),
    billing_tabs.delete_item: Operation("Remove an item of a tab", One[Nothing]),
    billing_tabs.get_open: Operation("Show the open tab", One[shown.Tab]),
    billing_tabs.get: Operation("Show a tab", One[shown.Tab]),
    billing_tabs.delete: Operation("Delete an open tab", One[Nothing]),
    outside.tell_factoring: Operation("What the partner says", Billogram, outside.Factoring),
} | {
    handler: Operation(f"{PICTURE[verb][0]} the {name}", *PICTURE[verb][1:])
    for name, verb, handler in pictures.HANDLERS
}
