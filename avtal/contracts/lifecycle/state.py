"""The state that a contract's workflow carries from task to task and across continue-as-new.

It holds the contract's open bills and its lost ones. A settled or void bill is dropped; the versions of the last 24
dropped bills are kept, so that a late signal about one of them is recognized.
"""

from datetime import datetime
from enum import StrEnum

from avtal.contracts.access.access import BILL_REASONS, Access, AccessNow, AccessReason, Block, access_at, block_of
from avtal.contracts.bills.bill import LIVE, BillSnapshot, BillStatus
from avtal.contracts.frozen import Frozen
from avtal.contracts.policy import RenewalWhileOff
from avtal.contracts.schedule import BillingTime, Ending, Schedule, spread_millionths

REMEMBERED_BILLS_MAX = 24


class ContractStatus(StrEnum):
    ACTIVE = "active"
    CANCELLING = "cancelling"
    SUSPENDED = "suspended"
    ENDED = "ended"


class SkippedPeriods(Frozen):
    """Periods that passed without access and are never billed; both ends are included."""

    first: int
    last: int


class ContractSnapshot(Frozen):
    """What the workflow owns of the contract's row. A higher counter replaces a lower one."""

    counter: int = 0
    status: ContractStatus
    access: Access
    reason: AccessReason
    since: datetime
    ending: Ending | None = None
    skipped_periods: tuple[SkippedPeriods, ...] = ()


class Retry(Frozen):
    """The next attempt is due at `at`, after so many failures. `at` is None while an attempt is in flight."""

    at: datetime | None
    failures: int = 0


class PlatformTask(StrEnum):
    """What is done at the platform about one bill after it was made."""

    VERIFY = "verify"
    """Read the invoice once more before access goes off."""
    WITHDRAW = "withdraw"
    """Delete the draft or credit the invoice: its period begins after the contract's end."""


class RenewalTerms(Frozen):
    """How renewals are made, by the policy of the newest bill."""

    period: int = -1
    policy_version: int = 0
    lead_days: int = 0
    work_window_minutes: int = 0
    start_slot_seconds: int = 0
    while_off: RenewalWhileOff = RenewalWhileOff.HOLD
    max_open_bills: int | None = None


class ContractState(Frozen):
    """Crosses continue-as-new and versions of the code: new fields have defaults.

    `known_at` holds, by bill, when a block became known whose cutoff had passed by then: it blocks from then on.
    `confirmed_cutoffs` holds, by bill, the cutoff at which the bill was found unpaid at the platform. `not_withdrawn`
    are bills that can't be withdrawn, since money has arrived. `withdrawn` are the revisions that a cancellation
    withdrew, by period. `written` is the snapshot that the store has.
    """

    schedule: Schedule
    sold_at: datetime
    spread_millionths: int = 0
    next_period: int = 0
    ending: Ending | None = None
    bills: dict[str, BillSnapshot] = {}
    retries: dict[str, Retry] = {}
    platform_tasks: dict[PlatformTask, dict[str, Retry]] = {}
    known_at: dict[str, datetime] = {}
    confirmed_cutoffs: dict[str, datetime] = {}
    dropped: dict[str, int] = {}
    waived: tuple[str, ...] = ()
    not_withdrawn: tuple[str, ...] = ()
    withdrawn: dict[int, int] = {}
    skipped_periods: tuple[SkippedPeriods, ...] = ()
    renewal_terms: RenewalTerms = RenewalTerms()
    access_restored_at: datetime | None = None
    counter: int = 0
    written: ContractSnapshot | None = None
    bills_made: int = 0

    @property
    def has_live_bills(self) -> bool:
        """Whether a bill can still change something."""
        return any(bill.status in LIVE for bill in self.bills.values())

    @property
    def billing_time(self) -> BillingTime:
        return BillingTime(
            lead_days=self.renewal_terms.lead_days,
            work_window_minutes=self.renewal_terms.work_window_minutes,
            spread_millionths=self.spread_millionths,
            start_slot_seconds=self.renewal_terms.start_slot_seconds,
        )


def initial_state(schedule: Schedule, sold_at: datetime, row: ContractSnapshot, contract_id: str = "") -> ContractState:
    """The state of a workflow that starts from the contract's row. A missing workflow starts again in the same way, and
    finds its bills in the store."""
    return ContractState(
        schedule=schedule,
        sold_at=sold_at,
        spread_millionths=spread_millionths(contract_id),
        ending=row.ending,
        skipped_periods=row.skipped_periods,
        written=row,
        counter=row.counter,
    )


def access_of(state: ContractState, now: datetime) -> AccessNow:
    """While bills keep access off, `since` stays the instant at which it went off, whichever of them is paid first."""
    access = access_at(state.schedule, state.sold_at, state.ending, now, blocks(state, now), state.access_restored_at)
    written = state.written
    if not access.blocking or written is None or written.reason not in BILL_REASONS or written.since > access.since:
        return access
    was_restored_since = state.access_restored_at is not None and written.since < state.access_restored_at
    return access if was_restored_since else access.model_copy(update={"since": written.since})


def blocks(state: ContractState, now: datetime) -> list[Block]:
    """What bills do to access. A block past its cutoff counts only once the bill was found unpaid at the platform."""
    return [block for block in known_blocks(state) if block.at > now or _is_verified(state, block)]


def known_blocks(state: ContractState) -> list[Block]:
    """Of all bills, verified or not. None begins before the contract knew of it."""
    found = (block_of(bill, state.schedule.zone) for bill in state.bills.values())
    return [_since_known(state, block) for block in found if block]


def unverified_blocks(state: ContractState, now: datetime) -> list[str]:
    """Bills whose cutoff has come, and that must be read once more before access goes off."""
    if state.ending is not None and now >= state.ending.at:
        return []
    return [block.bill_id for block in known_blocks(state) if block.at <= now and not _is_verified(state, block)]


def unpaid_bills(state: ContractState) -> int:
    """How many bills are open or being made."""
    counted = {BillStatus.CREATING, BillStatus.OPEN}
    return sum(bill.status in counted for bill in state.bills.values())


def _since_known(state: ContractState, block: Block) -> Block:
    return block.model_copy(update={"at": max(block.at, state.known_at.get(block.bill_id, block.at))})


def _is_verified(state: ContractState, block: Block) -> bool:
    """A loss comes from the platform itself and needs no second reading."""
    verified = state.confirmed_cutoffs.get(block.bill_id)
    return block.reason is AccessReason.LOSS or (verified is not None and verified >= block.at)
