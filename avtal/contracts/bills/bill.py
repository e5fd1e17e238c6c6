"""One bill: its identity, its facts, and the status that follows from the set of facts.

Facts arrive twice, late, and out of order; the set decides, never the order. Let P be payments less reversed payments,
C credits, D differences that the seller accepted, and T the total as sent. The first row that holds is the status:

    waived, withdrawn, or replaced                          void
    not yet made at the platform, and not parked            creating
    created, and T is zero                                  paid       no invoice was made
    dispatched, and P + C + D >= T, or the claim is sold
        with C > 0 and P <= 0                               credited   shown as "paid (credited)"
        else                                                paid
    parked with a reason, or deleted before its dispatch    parked
    dispatched, with a loss                                 expired
    dispatched                                              open
    else                                                    draft

(ACC-1, ACC-9.) A loss is a fact of that type, or the end of the billogram with a sum remaining. Fees and interest are
the platform's; a payment above T leaves the bill paid.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum

from pydantic import JsonValue

from avtal.contracts.frozen import Frozen
from avtal.contracts.policy import OnLoss, RenewalWhileOff

PLATFORM_KEY_LENGTH_MAX = 40


def bill_id(contract_id: str, period: int, revision: int) -> str:
    """Derived from contract and period, so that a repeated creation finds the first (IDEM-1)."""
    return f"{contract_id}:{period}:r{revision}"


def bill_parts(identity: str) -> tuple[str, int, int] | None:
    """Contract id, period number, revision; None if the text is not a bill id."""
    match = re.fullmatch(r"([A-Za-z0-9._-]{1,64}):(0|[1-9][0-9]{0,5}):r(0|[1-9][0-9]{0,5})", identity)
    return (match[1], int(match[2]), int(match[3])) if match else None


def platform_key(identity: str) -> str:
    """The bill's unique key at the platform (IDEM-4): the bill id; a long one is shortened and ends in a hash of it."""
    if len(identity) <= PLATFORM_KEY_LENGTH_MAX:
        return identity
    digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return f"{identity[: PLATFORM_KEY_LENGTH_MAX - 17]}~{digest}"


class BillStatus(StrEnum):
    CREATING = "creating"
    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    CREDITED = "credited"
    EXPIRED = "expired"
    PARKED = "parked"
    VOID = "void"


LIVE = frozenset({BillStatus.CREATING, BillStatus.DRAFT, BillStatus.OPEN, BillStatus.PARKED})
"""Bills that keep their contract's workflow running."""

NOT_MADE = frozenset({BillStatus.CREATING, BillStatus.PARKED})
"""Bills whose invoice may not have been made yet."""

SETTLED = frozenset({BillStatus.PAID, BillStatus.CREDITED})

STATUS_TEXTS = {
    BillStatus.CREATING: "being made",
    BillStatus.DRAFT: "draft, waits to be sent",
    BillStatus.OPEN: "open",
    BillStatus.PAID: "paid",
    BillStatus.CREDITED: "paid (credited)",
    BillStatus.EXPIRED: "expired",
    BillStatus.PARKED: "parked, waits for a person",
    BillStatus.VOID: "void",
}


def status_text(status: BillStatus, total_minor: int) -> str:
    is_free = status is BillStatus.PAID and total_minor == 0
    return "paid (nothing to pay)" if is_free else STATUS_TEXTS[status]


class ParkedReason(StrEnum):
    UNDELIVERABLE = "undeliverable"
    REFUSED = "refused"
    KEY_TAKEN = "key_taken"
    DUPLICATE_REMOTE = "duplicate_remote"
    AMOUNT_MISMATCH = "amount_mismatch"
    REMOTE_DELETED = "remote_deleted"


NEEDS_REVISION = frozenset({ParkedReason.KEY_TAKEN, ParkedReason.AMOUNT_MISMATCH, ParkedReason.REMOTE_DELETED})
"""Reasons after which the platform's key can't be used again: a retry makes the next revision (IDEM-8)."""

PARKED_TEXTS = {
    ParkedReason.UNDELIVERABLE: "no EDI number, usable e-mail, or complete postal address: add one, then retry",
    ParkedReason.REFUSED: "Billogram refused it: fix what it names, then retry",
    ParkedReason.KEY_TAKEN: "Billogram holds another invoice under this bill's key: retry makes a new revision",
    ParkedReason.DUPLICATE_REMOTE: "Billogram holds several invoices under this bill's key: delete all but one, retry",
    ParkedReason.AMOUNT_MISMATCH: "Billogram's total differs from ours: credit it there, retry makes a new revision",
    ParkedReason.REMOTE_DELETED: "deleted in Billogram: retry makes a new revision, waive frees the period",
}


class Parked(Frozen):
    """Why a bill is parked. `field` is our or the platform's name of what to fix; the platform's message stays in the
    store."""

    reason: ParkedReason
    field: str | None = None


class FactType(StrEnum):
    CREATED = "created"
    DISPATCHED = "dispatched"
    INVOICED = "invoiced"
    DELIVERED = "delivered"
    DELIVERY_FAILED = "delivery_failed"
    PAYMENT = "payment"
    PAYMENT_REVERSED = "payment_reversed"
    CREDIT = "credit"
    LOSS = "loss"
    FEES_WAIVED = "fees_waived"
    DOUBTFUL = "doubtful"
    DOUBTFUL_REVERTED = "doubtful_reverted"
    OVERPAYMENT = "overpayment"
    REMINDED = "reminded"
    OVERDUE = "overdue"
    INTEREST_STARTED = "interest_started"
    MESSAGE = "message"
    HANDED_OVER = "handed_over"
    HANDOVER_ENDED = "handover_ended"
    DIFFERENCE_ACCEPTED = "difference_accepted"
    CLAIM_SOLD = "claim_sold"
    CLAIM_RETURNED = "claim_returned"
    DUE_DATE_MOVED = "due_date_moved"
    ENDED = "ended"
    DELETED = "deleted"
    WAIVED = "waived"
    WITHDRAWN = "withdrawn"
    OTHER = "other"


DISPATCHES = frozenset({FactType.DISPATCHED, FactType.INVOICED})
"""Facts that show that the invoice was sent; only `invoiced` holds its sum and due date."""


class Fact(Frozen):
    """One immutable thing that happened to a bill. Amounts are minor units; `detail` is shown, never computed with.

    `digest` identifies a fact without `event_uuid`: a hash of the platform's event and of its occurrence among equal
    events (WEB-5).
    """

    type: FactType
    at: datetime
    source: str
    digest: str
    event_uuid: str | None = None
    amount_minor: int | None = None
    total_minor: int | None = None
    due_date: date | None = None
    detail: dict[str, JsonValue] = {}


def is_same_fact(one: Fact, other: Fact) -> bool:
    """Equal if uuid or digest match, unless both have uuids and these differ."""
    if one.event_uuid and other.event_uuid:
        return one.event_uuid == other.event_uuid
    return one.digest == other.digest


class Figures(Frozen):
    """The sums and dates of a set of facts, in minor units of the bill's currency."""

    total_minor: int
    paid_minor: int
    credited_minor: int
    accepted_minor: int = 0
    dispatched_at: datetime | None
    due_date: date | None
    lost_at: datetime | None
    reopened_at: datetime | None
    """When a payment was last reversed."""
    sold: bool
    deleted: bool

    @property
    def remaining_minor(self) -> int:
        if self.sold:
            return 0
        return max(self.total_minor - self.paid_minor - self.credited_minor - self.accepted_minor, 0)


def add_up(facts: Iterable[Fact], total_minor: int) -> Figures:
    """`total_minor` is the sum as we sent it; the invoice's own total wins (staff may have changed the draft)."""
    known = sorted(facts, key=lambda fact: (fact.at, fact.digest))
    of_type: dict[FactType, list[Fact]] = {kind: [] for kind in FactType}
    for fact in known:
        of_type[fact.type].append(fact)
    sums = {kind: sum(fact.amount_minor or 0 for fact in found) for kind, found in of_type.items()}
    last = {kind: found[-1].at for kind, found in of_type.items() if found}
    dispatches = [fact for fact in known if fact.type in DISPATCHES]
    totals = [fact.total_minor for fact in known if fact.total_minor is not None]
    due_dates = [fact.due_date for fact in known if fact.due_date is not None]
    figures = Figures(
        total_minor=totals[-1] if totals else total_minor,
        paid_minor=sums[FactType.PAYMENT] - sums[FactType.PAYMENT_REVERSED],
        credited_minor=sums[FactType.CREDIT],
        accepted_minor=sums[FactType.DIFFERENCE_ACCEPTED],
        dispatched_at=dispatches[0].at if dispatches else None,
        due_date=due_dates[-1] if due_dates else None,
        lost_at=of_type[FactType.LOSS][0].at if of_type[FactType.LOSS] else None,
        reopened_at=last.get(FactType.PAYMENT_REVERSED),
        sold=_is_later(last, FactType.CLAIM_SOLD, FactType.CLAIM_RETURNED),
        deleted=FactType.DELETED in last,
    )
    is_unsettled = figures.lost_at is None and figures.remaining_minor > 0
    if is_unsettled and _is_later(last, FactType.ENDED, FactType.PAYMENT_REVERSED):
        return figures.model_copy(update={"lost_at": last[FactType.ENDED]})
    return figures


def _is_later(last: Mapping[FactType, datetime], kind: FactType, undoing: FactType) -> bool:
    """Whether `kind` happened, and was not undone afterwards."""
    return kind in last and (undoing not in last or last[undoing] < last[kind])


def status_of(figures: Figures, *, made: bool, parked: Parked | None, void: bool) -> BillStatus:
    """The table at the top, row by row. `made` means that the platform's invoice is known, or that none is needed."""
    if void:
        return BillStatus.VOID
    if parked is None and not made:
        return BillStatus.CREATING
    if figures.total_minor == 0 and made:
        return BillStatus.PAID
    if figures.dispatched_at is not None and figures.remaining_minor == 0:
        return BillStatus.CREDITED if figures.credited_minor > 0 and figures.paid_minor <= 0 else BillStatus.PAID
    if parked is not None or (figures.deleted and figures.dispatched_at is None):
        return BillStatus.PARKED
    if figures.dispatched_at is None:
        return BillStatus.DRAFT
    return BillStatus.EXPIRED if figures.lost_at is not None else BillStatus.OPEN


class BillSnapshot(Frozen):
    """The bill as its contract's workflow knows it. A higher version replaces a lower one.

    The policy is the one that the bill was made under, or that was applied to it since. `start_slot_seconds` is how
    long after its due instant the next period's bill is made.
    """

    bill_id: str
    period: int
    revision: int = 0
    version: int = 0
    status: BillStatus = BillStatus.CREATING
    dispatched_on: date | None = None
    due_date: date | None = None
    remaining_minor: int = 0
    lost_at: datetime | None = None
    reopened_on: date | None = None
    parked: Parked | None = None
    policy_version: int = 0
    grace_days: int | None = None
    on_loss: OnLoss = OnLoss.TURN_OFF
    lead_days: int = 0
    work_window_minutes: int = 0
    start_slot_seconds: int = 0
    renewal_while_off: RenewalWhileOff = RenewalWhileOff.HOLD
    max_open_bills: int | None = None
