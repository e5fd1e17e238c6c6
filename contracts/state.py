"""What a contract carries from event to event: everything that its process must not forget.

A contract knows its open bills, and those that are lost; a settled or void one is dropped, and of the last 24 dropped
its version is kept, so that a late word about one of them is known for what it is.
"""

from datetime import datetime
from enum import StrEnum

from contracts.access import Access, AccessReason, Block, block_of
from contracts.bill import LIVE, BillRecord, BillStatus
from contracts.policy import RenewalWhileOff
from contracts.record import Record
from contracts.terms import BillingTime, Ending, Schedule, spread_millionths

DROPPED_KEPT_MAX = 24


class ContractStatus(StrEnum):
    ACTIVE = "active"
    CANCELLING = "cancelling"
    SUSPENDED = "suspended"
    ENDED = "ended"


class HeldPeriods(Record):
    """Periods that passed while access was off, and are never billed; both ends included."""

    first: int
    last: int


class Standing(Record):
    """What the workflow owns of the contract's row. A higher counter replaces a lower one."""

    counter: int = 0
    status: ContractStatus
    access: Access
    reason: AccessReason
    since: datetime
    ending: Ending | None = None
    held: tuple[HeldPeriods, ...] = ()


class Retry(Record):
    """What is to be done again at `at`, after so many failures; None while it is being done."""

    at: datetime | None
    failures: int = 0


class Errand(StrEnum):
    """What is asked of the platform about one bill, beside making it."""

    READ = "read"
    """Once more, before access goes off."""
    WITHDRAW = "withdraw"
    """Delete or credit it: its period begins after the contract's end."""


class Renewals(Record):
    """How renewals are made, by the newest bill's policy."""

    period: int = -1
    policy_version: int = 0
    lead_days: int = 0
    window_minutes: int = 0
    turn_seconds: int = 0
    while_off: RenewalWhileOff = RenewalWhileOff.HOLD
    open_bills_max: int | None = None


class ContractState(Record):
    """It survives continue-as-new and new versions of the code: new fields have defaults.

    `checked` tells to which cutoff a bill was found unpaid at the platform. `restored_at` is when access last came on
    again. `withdrawn` are the revisions of bills that a cancellation took back, by period.
    """

    schedule: Schedule
    sold_at: datetime
    spread_millionths: int = 0
    next_period: int = 0
    ending: Ending | None = None
    bills: dict[str, BillRecord] = {}
    retries: dict[str, Retry] = {}
    errands: dict[str, Retry] = {}
    checked: dict[str, datetime] = {}
    dropped: dict[str, int] = {}
    given_up: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    withdrawn: dict[int, int] = {}
    held: tuple[HeldPeriods, ...] = ()
    renewals: Renewals = Renewals()
    restored_at: datetime | None = None
    counter: int = 0
    told: Standing | None = None
    bills_made: int = 0

    @property
    def is_over(self) -> bool:
        """No bill left that can still change anything."""
        return not any(bill.status in LIVE for bill in self.bills.values())

    @property
    def billing_time(self) -> BillingTime:
        return BillingTime(
            lead_days=self.renewals.lead_days,
            window_minutes=self.renewals.window_minutes,
            spread_millionths=self.spread_millionths,
            turn_seconds=self.renewals.turn_seconds,
        )


def opened(schedule: Schedule, sold_at: datetime, row: Standing, contract_id: str = "") -> ContractState:
    """A contract begins with its row. One whose process was lost begins anew so, and finds the bills that it has."""
    return ContractState(
        schedule=schedule,
        sold_at=sold_at,
        spread_millionths=spread_millionths(contract_id),
        ending=row.ending,
        held=row.held,
        told=row,
        counter=row.counter,
    )


def blocks(state: ContractState, now: datetime) -> list[Block]:
    """What bills do to access. One that is past its cutoff counts only once it was found unpaid at the platform."""
    found = (block_of(bill, state.schedule.zone) for bill in state.bills.values())
    return [block for block in found if block and (block.at > now or _is_sure(state, block))]


def unread_blocks(state: ContractState, now: datetime) -> list[str]:
    """Bills whose cutoff has come, and that must be read once more before access goes off."""
    if state.ending is not None and now >= state.ending.at:
        return []
    found = (block_of(bill, state.schedule.zone) for bill in state.bills.values())
    return [block.bill_id for block in found if block and block.at <= now and not _is_sure(state, block)]


def unpaid_bills(state: ContractState) -> int:
    """Those that are open, or on their way to it."""
    counted = {BillStatus.CREATING, BillStatus.OPEN}
    return sum(bill.status in counted for bill in state.bills.values())


def _is_sure(state: ContractState, block: Block) -> bool:
    """A loss is told by the platform itself."""
    checked = state.checked.get(block.bill_id)
    return block.reason is AccessReason.LOSS or (checked is not None and checked >= block.at)
