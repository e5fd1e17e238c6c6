"""Starts the creation of bills: their content is frozen and stored before the platform gets a request (IDEM-2).

One statement per kind of row, however many bills are started together.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import BillStatus, bill_id
from avtal.contracts.bills.creation import CreationStart, Terms, bill_content, creation_start, terms_in_force
from avtal.contracts.bills.invoice import Subscriber
from avtal.contracts.periods import Period
from avtal.contracts.policy import Policy, with_changes
from avtal.contracts.schedule import BillingTime, Schedule
from avtal.contracts.start_slots import RENEWALS_PER_SECOND, slot_hour, start_slot_seconds
from avtal.store.accounts.accounts import current_policy
from avtal.store.billing.bill_locks import Key, lock_bills, split_keys
from avtal.store.billing.bills import apply_policy, park_bill, recompute_after_decision, void_bill
from avtal.store.billing.start_slots import take_start_slots
from avtal.store.feed.change_tracking import track_bill
from avtal.store.tables import AccountRow, BillRow, ContractRow, PolicyRow, SubscriberRow, Table, TermsRow

BillsByHour = dict[tuple[str, datetime], list[BillRow]]
"""By account and hour: new bills whose successors fall due in that hour."""


def _same(one: type[Table], other: type[Table], *columns: str) -> sa.ColumnElement[bool]:
    return sa.and_(*(getattr(one, column) == getattr(other, column) for column in columns))


_SOURCES = (
    sa.select(ContractRow, TermsRow, SubscriberRow, AccountRow, PolicyRow)
    .join(TermsRow, _same(TermsRow, ContractRow, "account", "contract_id"))
    .join(SubscriberRow, _same(SubscriberRow, ContractRow, "account", "subscriber_id"))
    .join(AccountRow, AccountRow.account == ContractRow.account)
    .join(PolicyRow, sa.and_(PolicyRow.account == AccountRow.account, PolicyRow.version == AccountRow.policy_version))
    .where(
        ContractRow.account.in_(sa.bindparam("accounts", expanding=True)),
        ContractRow.contract_id.in_(sa.bindparam("ids", expanding=True)),
    )
    .order_by(TermsRow.version)
)
"""Built once: building it takes longer than running it."""


class BillRequest(NamedTuple):
    """A bill that a contract requests. `now` is the contract's time; `traceparent` is the trace of the request."""

    account: str
    contract_id: str
    period: Period
    revision: int
    now: datetime
    traceparent: str | None = None

    @property
    def contract_key(self) -> Key:
        return self.account, self.contract_id

    @property
    def bill_key(self) -> Key:
        return self.account, bill_id(self.contract_id, self.period.number, self.revision)


class Sources(NamedTuple):
    """What a contract's bills are made of; `versions` are all of its terms, oldest first."""

    contract: ContractRow
    versions: list[Terms]
    subscriber: SubscriberRow


def start_bills(
    session: Session, requests: Sequence[BillRequest], per_second: float = RENEWALS_PER_SECOND
) -> Sequence[BillRow]:
    """The bills in the order of `requests`, locked. For each new one the successor's start slot is taken, of
    `per_second`.

    A bill that is `made`, `void`, or parked afterwards needs no invoice. A workflow that was started anew requests the
    first revision, and gets the one that its period has.
    """
    bills = {(bill.account, bill.bill_id): bill for bill in lock_bills(session, {one.bill_key for one in requests})}
    sources = _sources(session, {one.contract_key for one in requests})
    new_bills: BillsByHour = defaultdict(list)
    started: list[BillRow] = []
    for request in requests:
        bill = bills.get(request.bill_key)
        if bill is not None and bill.void:
            bill = _bill_of_period(session, request) or bill
        if bill is None or not (bill.made or bill.void):
            bill = _start_bill(session, request, sources[request.contract_key], bill, new_bills)
        bills[request.bill_key] = bill
        started.append(bill)
    _assign_start_slots(session, new_bills, per_second)
    return started


def _start_bill(
    session: Session, request: BillRequest, sources: Sources, bill: BillRow | None, new_bills: BillsByHour
) -> BillRow:
    terms = terms_in_force(sources.versions, request.period.number)
    version, policy = current_policy(session, request.account)
    policy = with_changes(policy, terms.policy_override)
    if bill is None:
        if request.revision > 0:
            _void_earlier_revision(session, request)
        bill = _new_bill(request, sources.contract, terms, version, policy)
        next_due = BillingTime(lead_days=policy.renewal_lead_days).shifted(request.period.end, bill.zone)
        new_bills[request.account, slot_hour(next_due)].append(bill)
    track_bill(session, bill)
    bill.attempts += 1
    bill.parked_reason = bill.parked_field = bill.provider_message = None
    bill.status = BillStatus.CREATING
    session.add(bill)
    subscriber = Subscriber.model_validate(sources.subscriber.subscriber)
    _apply_start(session, bill, creation_start(bill.total_minor, terms, subscriber, policy))
    return bill


def _apply_start(session: Session, bill: BillRow, start: CreationStart) -> None:
    if start.is_free:
        bill.made = True
        recompute_after_decision(session, bill)
        return
    bill.delivery_method, bill.edi_number = start.delivery_method, start.edi_number
    if start.parked is not None:
        park_bill(session, bill, start.parked, "")


def _assign_start_slots(session: Session, new_bills: BillsByHour, per_second: float) -> None:
    for account, hour in sorted(new_bills):  # always in this order, so that no two transactions deadlock
        bills = new_bills[account, hour]
        for slot, bill in zip(take_start_slots(session, account, hour, len(bills)), bills, strict=True):
            bill.start_slot_seconds = start_slot_seconds(slot, per_second)


def _void_earlier_revision(session: Session, request: BillRequest) -> None:
    """In the transaction that creates the next one (IDEM-8): a period has one bill that is not void."""
    earlier = _bill_of_period(session, request)
    if earlier is not None:
        void_bill(session, earlier)
        session.flush()


def _bill_of_period(session: Session, request: BillRequest) -> BillRow | None:
    """The one that is not void."""
    return session.scalars(
        sa.select(BillRow)
        .where(BillRow.account == request.account, BillRow.contract_id == request.contract_id)
        .where(BillRow.period_no == request.period.number, BillRow.void.is_(False))
        .with_for_update()
    ).one_or_none()


def _sources(session: Session, contracts: Collection[Key]) -> dict[Key, Sources]:
    """Also loads account and policy, so that `current_policy` and others find them in the session."""
    found: dict[Key, Sources] = {}
    for contract, terms, subscriber, _, _ in session.execute(_SOURCES, split_keys(contracts)):
        sources = found.setdefault((contract.account, contract.contract_id), Sources(contract, [], subscriber))
        sources.versions.append(Terms.model_validate(terms, from_attributes=True))
    return found


def _new_bill(request: BillRequest, contract: ContractRow, terms: Terms, version: int, policy: Policy) -> BillRow:
    content = bill_content(terms.lines, prices_include_vat=contract.prices_include_vat)
    account, identity = request.bill_key
    bill = BillRow(
        account=account,
        bill_id=identity,
        contract_id=contract.contract_id,
        zone=Schedule.model_validate(contract.schedule).zone,
        period_no=request.period.number,
        revision=request.revision,
        period_start=request.period.start,
        period_end=request.period.end,
        created_at=request.now,
        version=0,
        status=BillStatus.CREATING,
        made=False,
        void=False,
        attempts=0,
        traceparent=request.traceparent,
        mode=policy.mode,
        payment_days=policy.payment_days,
        currency=contract.currency,
        remaining_minor=content.total_minor,
        **content.model_dump(mode="json"),
    )
    apply_policy(bill, version, policy)
    return bill
