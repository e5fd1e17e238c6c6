"""Every word of the portal that is ours. Another language is one more `Texts`, in a module of its own."""

from collections.abc import Mapping
from dataclasses import dataclass

from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import PARKED_TEXTS, STATUS_TEXTS, BillStatus, FactType, ParkedReason
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.contracts.periods import IntervalUnit


@dataclass(frozen=True)
class Texts:
    language: str
    months: tuple[str, ...]
    words: Mapping[str, str]
    """What stands in the templates, by name."""
    troubles: Mapping[str, str]
    """Of a login."""
    errors: Mapping[int, tuple[str, str]]
    """By HTTP status: what is the matter, and what to do."""
    contract_status: Mapping[ContractStatus, str]
    access: Mapping[Access, str]
    access_reasons: Mapping[AccessReason, str]
    bill_status: Mapping[BillStatus, str]
    bill_nothing_to_pay: str
    parked: Mapping[ParkedReason, str]
    parked_names: Mapping[ParkedReason, str]
    every: Mapping[IntervalUnit, tuple[str, str]]
    """One, and several."""
    facts: Mapping[FactType, str]
    events: Mapping[str, str]
    """For facts of type `other`: the platform's name of the event."""
    sources: Mapping[str, str]
    particulars: Mapping[str, str]
    """The platform's names of what it tells beside an event; one without a text is shown by its own name."""


ENGLISH = Texts(
    language="en",
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    words={
        "accepted": "Accepted difference",
        "access": "Access",
        "address": "Address",
        "agreed_total": "Agreed total",
        "any_access": "Any access",
        "any_status": "Any status",
        "begun": "Begun",
        "bill": "Bill",
        "bill_id": "Bill id",
        "billed": "Billed",
        "billogram_id": "Billogram id",
        "bills": "Bills",
        "contract": "Contract",
        "contracts": "Contracts",
        "credited": "Credited",
        "current_period": "Current period",
        "delivery": "Sent by",
        "dispatched": "Left on",
        "due": "Due",
        "edi_number": "EDI number",
        "email": "E-mail",
        "figures": "Figures",
        "find": "Find a contract",
        "find_hint": "Contract id or subscriber id, in full",
        "first_page": "First page",
        "fixed_periods": "periods",
        "from": "From",
        "grace_ends": "Grace period ends",
        "history": "History",
        "invoice": "Invoice",
        "invoice_no": "Invoice number",
        "log_in": "Log in",
        "log_out": "Log out",
        "main": "Main",
        "more": "More that Billogram told",
        "needs_you": "Waits for a person",
        "next_change": "Next change",
        "next_page": "Next page",
        "next_renewal": "Next renewal",
        "no_bills": "No bill has been made yet.",
        "no_contracts": "No contract matches.",
        "no_history": "Nothing has happened to this bill outside Avtal yet.",
        "none_yet": "None yet",
        "nothing_planned": "Nothing by itself",
        "ocr_number": "OCR number",
        "older_bills": "Older bills",
        "only_parked": "Only with parked bills",
        "open_invoice": "Open the invoice",
        "opens_elsewhere": "at Billogram",
        "or_give_up": "· or give the bill up:",
        "pages": "Pages",
        "paid": "Paid",
        "parked": "parked",
        "password": "Password",
        "period": "Period",
        "phone": "Phone",
        "policy_version": "Policy version",
        "prices_with_vat": "Prices include VAT.",
        "prices_without_vat": "Prices are without VAT.",
        "reader": "Reader",
        "remaining": "Remaining",
        "revision": "revision",
        "rounding": "Rounding",
        "show": "Show",
        "since": "Since",
        "skip": "Skip to the content",
        "sold": "Sold",
        "status": "Status",
        "subscriber": "Subscriber",
        "terms": "Terms",
        "their_words": "Billogram says:",
        "then_run": "Once that is mended:",
        "time_zone": "Times are those of",
        "total": "Total",
        "trouble_asking": "Billogram could not be asked yet:",
        "until": "Until",
        "until_further_notice": "until further notice",
        "user": "User name",
        "vat": "VAT",
        "zone": "Time zone",
    },
    troubles={
        "wrong_password": "The user name or the password is not right.",
        "too_many_tries": "Too many tries. Wait a quarter of an hour, then try again; "
        "or have a new password made with avtal account operator.",
    },
    errors={
        403: ("This form is too old", "Go back, load the page again, and send it once more."),
        404: ("There is no such page", "Check the id; another account's contracts and bills are not shown here."),
        413: ("That is too much", "The form holds more than it can take."),
        500: ("Something went wrong here", "It is a mistake of ours; the log of the web process tells more."),
        503: ("The store does not answer", "Nothing is lost. Try again in a moment."),
    },
    contract_status={
        ContractStatus.ACTIVE: "Active",
        ContractStatus.CANCELLING: "Cancelled, still running",
        ContractStatus.SUSPENDED: "Suspended",
        ContractStatus.ENDED: "Ended",
    },
    access={Access.ON: "Access on", Access.OFF: "Access off"},
    access_reasons={
        AccessReason.ACTIVE: "the contract runs",
        AccessReason.NOT_STARTED: "not started",
        AccessReason.PAST_GRACE: "unpaid after the grace period",
        AccessReason.LOSS: "a bill was lost",
        AccessReason.CANCELLED: "cancelled",
        AccessReason.ENDED: "the periods are over",
    },
    bill_status={status: text.capitalize() for status, text in STATUS_TEXTS.items()},
    bill_nothing_to_pay="Paid (nothing to pay)",
    parked=PARKED_TEXTS,
    parked_names={
        ParkedReason.UNDELIVERABLE: "No way to the reader",
        ParkedReason.REFUSED: "Refused by Billogram",
        ParkedReason.KEY_TAKEN: "Another invoice stands under its key",
        ParkedReason.DUPLICATE_REMOTE: "Several invoices at Billogram",
        ParkedReason.AMOUNT_MISMATCH: "Another total at Billogram",
        ParkedReason.REMOTE_DELETED: "Deleted at Billogram",
    },
    every={
        IntervalUnit.DAY: ("every day", "every {count} days"),
        IntervalUnit.WEEK: ("every week", "every {count} weeks"),
        IntervalUnit.MONTH: ("every month", "every {count} months"),
        IntervalUnit.YEAR: ("every year", "every {count} years"),
    },
    facts={
        FactType.CREATED: "Created at Billogram",
        FactType.DISPATCHED: "Sent to the reader",
        FactType.INVOICED: "Invoice as it was sent",
        FactType.DELIVERED: "Delivered",
        FactType.DELIVERY_FAILED: "Could not be delivered",
        FactType.PAYMENT: "Payment",
        FactType.PAYMENT_REVERSED: "Payment taken back",
        FactType.CREDIT: "Credited",
        FactType.LOSS: "Given up as a loss",
        FactType.FEES_WAIVED: "Fees waived, the invoice itself is paid",
        FactType.DOUBTFUL: "Marked as doubtful in the books",
        FactType.DOUBTFUL_REVERTED: "No longer marked as doubtful",
        FactType.OVERPAYMENT: "Overpaid",
        FactType.REMINDED: "Reminder sent",
        FactType.OVERDUE: "Overdue",
        FactType.INTEREST_STARTED: "Interest runs",
        FactType.MESSAGE: "Message",
        FactType.HANDED_OVER: "Handed over to debt collection",
        FactType.HANDOVER_ENDED: "Debt collection ended",
        FactType.DIFFERENCE_ACCEPTED: "A small difference was accepted",
        FactType.CLAIM_SOLD: "The claim was sold",
        FactType.CLAIM_RETURNED: "The sold claim came back",
        FactType.DUE_DATE_MOVED: "Due date moved",
        FactType.ENDED: "Closed at Billogram",
        FactType.DELETED: "Deleted at Billogram",
        FactType.WAIVED: "Given up by an operator; the period is free",
        FactType.WITHDRAWN: "Withdrawn: its period begins after the end of the contract",
        FactType.OTHER: "Something else happened at Billogram",
    },
    events={
        "AutogiroFailed": "Autogiro failed",
        "CollectionCancelled": "Debt collection called off",
        "CollectionEnded": "Debt collection ended",
        "CollectionStatusUpdate": "News from debt collection",
        "DataChange": "Changed at Billogram",
        "InterestStarted": "Interest began to run",
        "InvoiceSent": "Invoice sent",
        "NewInvoicePDF": "A new invoice document was made",
        "PaymentFailed": "A payment failed",
        "PaymentScheduled": "A payment was scheduled",
        "Resent": "Sent again",
        "Respite": "More time to pay was given",
        "RespiteRemoved": "The extra time to pay was taken back",
    },
    sources={"callback": "Billogram's callback", "billogram read": "Read from Billogram", "operator": "An operator"},
    particulars={
        "banking_amount": "Amount at the bank",
        "collector_method": "Collected by",
        "collector_reference": "Collector's reference",
        "customer_email": "To",
        "customer_phone": "To",
        "date": "Date",
        "delivery_method": "By",
        "invoice_no": "Invoice number",
        "message": "Message",
        "ocr_number": "OCR number",
        "payment_date": "Payment date",
        "reason": "Reason",
        "recipient_identifier": "To",
        "remaining_sum": "Remaining then",
        "reminder_count": "Reminder number",
        "reminder_fee": "Reminder fee",
        "total_sum": "Total then",
    },
)
