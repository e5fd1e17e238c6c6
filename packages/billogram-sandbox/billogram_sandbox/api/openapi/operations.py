"""The operations of handlers and commands for the OpenAPI document, one line each."""

from billogram_sandbox.account.web_settings import Account
from billogram_sandbox.api.openapi.operation import TEXT, Operation, list_parameters, page_parameters
from billogram_sandbox.api.openapi.register_operations import REGISTER_OPERATIONS
from billogram_sandbox.api.responses import control_plane as control
from billogram_sandbox.api.responses.billograms import Billogram, Billograms, CompactBillogram, Customer, Event, Pdf
from billogram_sandbox.api.responses.envelope import Many, Nothing, One
from billogram_sandbox.callbacks import events
from billogram_sandbox.callbacks.outbox import PAGE_SIZE_MAX
from billogram_sandbox.control_plane import administration, bank_payments, collector, external_events
from billogram_sandbox.core.faults import Faults
from billogram_sandbox.invoice_page.pdf import download
from billogram_sandbox.lifecycle import drafts
from billogram_sandbox.registers import billograms, customers
from billogram_sandbox.request_context import Handler
from billogram_sandbox.shapes import command as arguments
from billogram_sandbox.shapes.billogram import BillogramChange, NewBillogram
from billogram_sandbox.shapes.customer import CustomerChange, NewCustomer
from billogram_sandbox.shapes.values import Shape

EVENTS_QUERY = page_parameters(frozenset({"created_at"})) | {
    "filter_type": {"const": "field"},
    "filter_field": {"const": "billogram_id"},
    "filter_value": TEXT,
}

BOOLEAN = {"enum": ["true", "false"]}
CALLBACKS_QUERY = page_parameters(size=PAGE_SIZE_MAX, most=PAGE_SIZE_MAX) | {
    "billogram_id": TEXT,
    "outcome": {"enum": ["pending", "delivered", "given_up", "dropped"]},
}

OPERATIONS: dict[Handler, Operation] = {
    customers.listing: Operation("List customers", Many[Customer], query=list_parameters(customers.LISTING)),
    customers.create: Operation("Create a customer", One[Customer], NewCustomer),
    customers.get: Operation("Show a customer", One[Customer]),
    customers.update: Operation("Change a customer", One[Customer], CustomerChange),
    billograms.listing: Operation(
        "List billograms", Billograms[CompactBillogram], query=list_parameters(billograms.LISTING)
    ),
    drafts.create: Operation("Create a billogram, and optionally send or sell it", One[Billogram], NewBillogram),
    billograms.get: Operation("Show a billogram", One[Billogram]),
    download.get: Operation("Show the PDF of a letter", One[Pdf], query={"letter_id": TEXT, "invoice_no": TEXT}),
    drafts.update: Operation("Change a billogram", One[Billogram], BillogramChange),
    drafts.delete: Operation("Delete a draft", One[Nothing]),
    events.listing: Operation("List the events of a billogram", Many[Event], query=EVENTS_QUERY, names_another=True),
    administration.get_clock: Operation("Show the clock", control.ClockResponse),
    administration.move_clock: Operation("Move the clock", control.ClockResponse, administration.ClockMove),
    administration.set_account: Operation(
        "Set the callback URL and late payment settings", control.AccountResponse, Account
    ),
    administration.list_billograms: Operation(
        "List complete billograms", control.AllBillograms, query=dict.fromkeys(administration.FILTERS, TEXT)
    ),
    administration.list_callbacks: Operation(
        "List callbacks with their attempts", control.AllCallbacks, query=CALLBACKS_QUERY
    ),
    administration.get_faults: Operation("Show the faults", Faults),
    administration.set_faults: Operation("Set the faults", Faults, Faults),
    administration.get_stats: Operation("Count API requests", control.StatsResponse),
    administration.reset_stats: Operation("Reset the counts", control.StatsResponse),
    administration.reset: Operation("Empty the sandbox", control.ClockResponse),
    external_events.pay: Operation("A payment arrives", Billogram, external_events.NewPayment),
    external_events.recall: Operation("Recall the last payment", Billogram),
    external_events.set_delivery_outcome: Operation(
        "The outcome of the delivery", Billogram, external_events.DeliveryOutcome
    ),
    external_events.create_payment_request: Operation(
        "Create a Swish or card payment request", control.PaymentRequest, external_events.NewPaymentRequest
    ),
    external_events.get_payment_request: Operation("Show a payment request", control.PaymentRequest),
    external_events.settle_payment_request: Operation(
        "Settle a payment request", control.PaymentRequest, external_events.RequestOutcome
    ),
    collector.get_books: Operation("Show the collector's books", control.Books),
    collector.report: Operation("A report of the collector", Billogram, collector.CollectorReport),
    bank_payments.listing: Operation("List the rows of bank files", control.Payments, query={"allocated": BOOLEAN}),
    bank_payments.receive: Operation("Add a row of a bank file", control.Payment, bank_payments.BankRow),
    bank_payments.allocate: Operation("Allocate a queued row", control.Payment, bank_payments.Allocation),
    **REGISTER_OPERATIONS,
}
COMMAND_ARGUMENTS: dict[str, type[Shape]] = {
    "send": arguments.Send,
    "resend": arguments.Resend,
    "remind": arguments.Remind,
    "collect": arguments.NoArguments,
    "payment": arguments.Payment,
    "credit": arguments.Credit,
    "writeoff": arguments.NoArguments,
    "writedown": arguments.NoArguments,
    "revert-writedown": arguments.NoArguments,
    "confirmed-loss": arguments.NoArguments,
    "respite": arguments.Respite,
    "remove-respite": arguments.NoArguments,
    "sell": arguments.NoArguments,
    "attach": arguments.Attach,
    "credit-payment": arguments.NoArguments,
    "message": arguments.Message,
}
"""Each responds with the billogram."""
