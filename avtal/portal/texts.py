"""All texts of the portal, in English. A translation is one more `Texts`, in a module of its own."""

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
    labels: Mapping[str, str]
    """Labels and sentences of the templates."""
    login_errors: Mapping[str, str]
    errors: Mapping[int, tuple[str, str]]
    """By HTTP status: the title, and what to do."""
    contract_status: Mapping[ContractStatus, str]
    access: Mapping[Access, str]
    access_reasons: Mapping[AccessReason, str]
    bill_status: Mapping[BillStatus, str]
    bill_nothing_to_pay: str
    parked: Mapping[ParkedReason, str]
    parked_names: Mapping[ParkedReason, str]
    intervals: Mapping[IntervalUnit, tuple[str, str]]
    """Singular and plural."""
    facts: Mapping[FactType, str]
    events: Mapping[str, str]
    """For facts of type `other`, by Billogram's name of the event."""
    sources: Mapping[str, str]
    details: Mapping[str, str]
    """By Billogram's name of the field; a field without a text is shown by that name."""


ENGLISH = Texts(
    language="en",
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    labels={
        "accepted": "Accepted difference",
        "access": "Access",
        "address": "Address",
        "agreed_total": "Agreed total",
        "amounts": "Amounts",
        "any_access": "Any access",
        "any_status": "Any status",
        "at_billogram": "at Billogram",
        "bill": "Bill",
        "bill_id": "Bill id",
        "billed": "Billed",
        "billogram_id": "Billogram id",
        "billogram_message": "Billogram says:",
        "bills": "Bills",
        "contract": "Contract",
        "contracts": "Contracts",
        "created": "Created",
        "credited": "Credited",
        "current_period": "Current period",
        "delivery": "Delivery method",
        "dispatched": "Sent on",
        "due": "Due",
        "edi_number": "EDI number",
        "email": "E-mail",
        "find": "Find a contract",
        "find_hint": "Contract id or subscriber id, in full",
        "first_page": "First page",
        "fixed_periods": "periods",
        "from": "From",
        "grace_ends": "Grace period ends",
        "history": "History",
        "invoice": "Invoice",
        "invoice_no": "Invoice number",
        "last_request_failed": "The last request to Billogram failed:",
        "log_in": "Log in",
        "log_out": "Log out",
        "main": "Main",
        "more": "More from Billogram",
        "name": "Name",
        "needs_attention": "Needs attention",
        "next_change": "Next change",
        "next_page": "Next page",
        "next_renewal": "Next renewal",
        "no_bills": "No bills yet.",
        "no_contracts": "No contract matches.",
        "no_history": "No history yet.",
        "none_yet": "None yet",
        "nothing_planned": "None planned",
        "ocr_number": "OCR number",
        "older_bills": "Older bills",
        "only_parked": "Only with parked bills",
        "open_invoice": "Open the invoice",
        "or_waive": "· or waive the bill:",
        "pages": "Pages",
        "paid": "Paid",
        "parked": "parked",
        "password": "Password",
        "period": "Period",
        "phone": "Phone",
        "policy_version": "Policy version",
        "prices_with_vat": "Prices include VAT.",
        "prices_without_vat": "Prices exclude VAT.",
        "remaining": "Remaining",
        "retry_with": "When it is fixed:",
        "revision": "revision",
        "rounding": "Rounding",
        "show": "Show",
        "since": "Since",
        "skip": "Skip to the content",
        "sold": "Sold",
        "start_date": "Start date",
        "status": "Status",
        "subscriber": "Subscriber",
        "terms": "Terms",
        "time_zone": "Times are in",
        "total": "Total",
        "until": "Ends on",
        "until_further_notice": "until further notice",
        "user": "User name",
        "vat": "VAT",
        "zone": "Time zone",
    },
    login_errors={
        "wrong_password": "Wrong user name or password.",
        "too_many_attempts": "Too many attempts. Try again in 15 minutes, "
        "or have a new password set with avtal account operator.",
    },
    errors={
        403: ("This form is too old", "Go back, reload the page, and send it again."),
        404: ("Page not found", "Check the id. Contracts and bills of other accounts are not shown here."),
        413: ("The form is too large", "It holds more than the portal accepts."),
        500: ("Something went wrong", "This is an internal error. The log of the web process has the details."),
        503: ("The store does not respond", "Nothing is lost. Try again in a moment."),
    },
    contract_status={
        ContractStatus.ACTIVE: "Active",
        ContractStatus.CANCELLING: "Cancelled, still running",
        ContractStatus.SUSPENDED: "Suspended",
        ContractStatus.ENDED: "Ended",
    },
    access={Access.ON: "Access on", Access.OFF: "Access off"},
    access_reasons={
        AccessReason.ACTIVE: "the contract is active",
        AccessReason.NOT_STARTED: "not started",
        AccessReason.PAST_GRACE: "unpaid after the grace period",
        AccessReason.LOSS: "a bill is a confirmed loss",
        AccessReason.CANCELLED: "cancelled",
        AccessReason.ENDED: "the last period is over",
    },
    bill_status={status: text.capitalize() for status, text in STATUS_TEXTS.items()},
    bill_nothing_to_pay="Paid (nothing to pay)",
    parked=PARKED_TEXTS,
    parked_names={
        ParkedReason.UNDELIVERABLE: "Undeliverable",
        ParkedReason.REFUSED: "Refused by Billogram",
        ParkedReason.KEY_TAKEN: "Key taken by another invoice",
        ParkedReason.DUPLICATE_REMOTE: "Several invoices at Billogram",
        ParkedReason.AMOUNT_MISMATCH: "Different total at Billogram",
        ParkedReason.REMOTE_DELETED: "Deleted at Billogram",
    },
    intervals={
        IntervalUnit.DAY: ("every day", "every {count} days"),
        IntervalUnit.WEEK: ("every week", "every {count} weeks"),
        IntervalUnit.MONTH: ("every month", "every {count} months"),
        IntervalUnit.YEAR: ("every year", "every {count} years"),
    },
    facts={
        FactType.CREATED: "Created at Billogram",
        FactType.DISPATCHED: "Sent to the subscriber",
        FactType.INVOICED: "Invoice as sent",
        FactType.DELIVERED: "Delivered",
        FactType.DELIVERY_FAILED: "Could not be delivered",
        FactType.PAYMENT: "Payment",
        FactType.PAYMENT_REVERSED: "Payment reversed",
        FactType.CREDIT: "Credited",
        FactType.LOSS: "Confirmed as a loss",
        FactType.FEES_WAIVED: "Fees waived; the invoice itself is paid",
        FactType.DOUBTFUL: "Marked as doubtful in the accounts",
        FactType.DOUBTFUL_REVERTED: "No longer marked as doubtful",
        FactType.OVERPAYMENT: "Overpaid",
        FactType.REMINDED: "Reminder sent",
        FactType.OVERDUE: "Overdue",
        FactType.INTEREST_STARTED: "Interest started",
        FactType.MESSAGE: "Message",
        FactType.HANDED_OVER: "Handed over to debt collection",
        FactType.HANDOVER_ENDED: "Debt collection ended",
        FactType.DIFFERENCE_ACCEPTED: "Small difference accepted",
        FactType.CLAIM_SOLD: "Claim sold",
        FactType.CLAIM_RETURNED: "Sold claim returned",
        FactType.DUE_DATE_MOVED: "Due date moved",
        FactType.ENDED: "Closed at Billogram",
        FactType.DELETED: "Deleted at Billogram",
        FactType.WAIVED: "Waived by an operator; the period is free",
        FactType.WITHDRAWN: "Withdrawn: its period starts after the end of the contract",
        FactType.OTHER: "Other event at Billogram",
    },
    events={
        "AutogiroFailed": "Autogiro failed",
        "CollectionCancelled": "Debt collection cancelled",
        "CollectionEnded": "Debt collection ended",
        "CollectionStatusUpdate": "Debt collection status",
        "DataChange": "Changed at Billogram",
        "InterestStarted": "Interest started",
        "InvoiceSent": "Invoice sent",
        "NewInvoicePDF": "New invoice PDF",
        "PaymentFailed": "Payment failed",
        "PaymentScheduled": "Payment scheduled",
        "Resent": "Sent again",
        "Respite": "Respite: more time to pay",
        "RespiteRemoved": "Respite removed",
    },
    sources={"callback": "Billogram's callback", "billogram read": "Read from Billogram", "operator": "Operator"},
    details={
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
