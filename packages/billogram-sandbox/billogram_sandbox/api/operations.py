"""What each handler and each command takes and answers: what the description is made of, one line each."""

from billogram_sandbox.account.web_settings import Account
from billogram_sandbox.api import answers
from billogram_sandbox.api import money_answers as money
from billogram_sandbox.api.answers import Billogram, Billograms, CompactBillogram, Customer, Event, Many, Nothing, One
from billogram_sandbox.api.described import TEXT, Operation, listed, paged
from billogram_sandbox.api.register_operations import REGISTERS
from billogram_sandbox.call import Handler
from billogram_sandbox.callbacks import events
from billogram_sandbox.callbacks.outbox import PAGE_SIZE_MAX
from billogram_sandbox.control_plane import collector, control, outside, payments
from billogram_sandbox.core.faults import Faults
from billogram_sandbox.life import billograms, drafts
from billogram_sandbox.reader import pdfs
from billogram_sandbox.registers import customers
from billogram_sandbox.shapes import command as take
from billogram_sandbox.shapes.billogram import BillogramChange, NewBillogram
from billogram_sandbox.shapes.customer import CustomerChange, NewCustomer
from billogram_sandbox.shapes.values import Shape

EVENTS_QUERY = paged(frozenset({"created_at"})) | {
    "filter_type": {"const": "field"},
    "filter_field": {"const": "billogram_id"},
    "filter_value": TEXT,
}

TRUTH = {"enum": ["true", "false"]}
CALLBACKS_QUERY = paged(size=PAGE_SIZE_MAX, most=PAGE_SIZE_MAX) | {
    "billogram_id": TEXT,
    "outcome": {"enum": ["pending", "delivered", "given_up", "dropped"]},
}

OPERATIONS: dict[Handler, Operation] = {
    customers.listing: Operation("List customers", Many[Customer], query=listed(customers.LISTING)),
    customers.create: Operation("Make a customer", One[Customer], NewCustomer),
    customers.get: Operation("Show a customer", One[Customer]),
    customers.update: Operation("Change a customer", One[Customer], CustomerChange),
    billograms.listing: Operation("List billograms", Billograms[CompactBillogram], query=listed(billograms.LISTING)),
    drafts.create: Operation("Make a billogram, and send it if asked", One[Billogram], NewBillogram),
    billograms.get: Operation("Show a billogram", One[Billogram]),
    pdfs.get: Operation("The PDF of a letter", One[answers.Pdf], query={"letter_id": TEXT, "invoice_no": TEXT}),
    drafts.update: Operation("Change a billogram", One[Billogram], BillogramChange),
    drafts.delete: Operation("Delete a draft", One[Nothing]),
    events.listing: Operation("List the events of a billogram", Many[Event], query=EVENTS_QUERY, names_another=True),
    control.clock: Operation("What time it is, and what is due", answers.ClockAnswer),
    control.move_clock: Operation("Move the clock", answers.ClockAnswer, control.Move),
    control.set_account: Operation(
        "Set where callbacks go, and the account's defaults", answers.AccountAnswer, Account
    ),
    control.list_billograms: Operation(
        "All billograms, whole", answers.AllBillograms, query=dict.fromkeys(control.FILTERS, TEXT)
    ),
    control.list_callbacks: Operation(
        "All callbacks, with their attempts", answers.AllCallbacks, query=CALLBACKS_QUERY
    ),
    control.faults: Operation("Which faults are set", Faults),
    control.set_faults: Operation("Misbehave, or behave again", Faults, Faults),
    control.stats: Operation("How many API requests came", answers.StatsAnswer),
    control.reset_stats: Operation("Count from zero", answers.StatsAnswer),
    control.reset: Operation("Empty the sandbox", answers.ClockAnswer),
    outside.pay: Operation("Money arrives", Billogram, outside.Pay),
    outside.recall: Operation("The last payment is taken back", Billogram),
    outside.tell_delivery: Operation("What became of the sending", Billogram, outside.Delivery),
    outside.request_payment: Operation("Ask for a payment by Swish or card", money.PaymentRequest, outside.Request),
    outside.requested_payment: Operation("How the request stands", money.PaymentRequest),
    outside.settle_request: Operation("What becomes of the request", money.PaymentRequest, outside.Settled),
    collector.books: Operation("The collector's books", money.Books),
    collector.tell: Operation("What the collector says", Billogram, collector.Word),
    payments.listing: Operation("All payments by reference", money.Payments, query={"allocated": TRUTH}),
    payments.receive: Operation("A row of a bank's file arrives", money.Payment, payments.Row),
    payments.allocate: Operation("Allocate a payment", money.Payment, payments.Allocation),
    **REGISTERS,
}
COMMANDS_TAKE: dict[str, type[Shape]] = {
    "send": take.Send,
    "resend": take.Resend,
    "remind": take.Remind,
    "collect": take.Nothing,
    "payment": take.Payment,
    "credit": take.Credit,
    "writeoff": take.Nothing,
    "writedown": take.Nothing,
    "revert-writedown": take.Nothing,
    "confirmed-loss": take.Nothing,
    "respite": take.Respite,
    "remove-respite": take.Nothing,
    "sell": take.Nothing,
    "attach": take.Attach,
    "credit-payment": take.Nothing,
    "message": take.Message,
}
"""Each answers with the billogram."""
