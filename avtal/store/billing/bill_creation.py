"""How bills begin: frozen, and stored before anything is said to the platform (IDEM-2).

What a bill is made of (terms, policy, rows) is read once and frozen with it. Each time that it is begun anew, after a
failure or by a person, only its way to the reader is chosen again.
A question for each kind of row, however many bills begin together.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import BillStatus, Parked, ParkedReason, bill_id
from avtal.contracts.bills.invoice import Subscriber
from avtal.contracts.delivery import DeliveryMethod, Reach, choose_method
from avtal.contracts.money import agreed_total_minor, rows_for, totals
from avtal.contracts.periods import Period
from avtal.contracts.policy import Policy, changed
from avtal.contracts.schedule import BillingTime, Schedule
from avtal.contracts.start_slots import PER_SECOND, hour_of, start_slot_seconds
from avtal.store.accounts.accounts import current_policy
from avtal.store.billing.bill_batch import Key, apart, lock_bills
from avtal.store.billing.bills import apply_policy, finish_without_invoice, park_bill, void_bill
from avtal.store.billing.start_slots import take_start_slots
from avtal.store.billing.terms import Terms, in_force
from avtal.store.feed.change_tracking import track_bill
from avtal.store.tables import AccountRow, BillRow, ContractRow, PolicyRow, SubscriberRow, Table, TermsRow

Hours = dict[tuple[str, datetime], list[BillRow]]
"""By account and hour: bills whose successors fall due then."""


def _same(one: type[Table], other: type[Table], *columns: str) -> sa.ColumnElement[bool]:
    return sa.and_(*(getattr(one, column) == getattr(other, column) for column in columns))


_MADE_OF = (
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
"""Built once, like others that are asked often: to build a statement takes longer than to ask it."""


class BillRequest(NamedTuple):
    """What a contract asks for. `traceparent` is that of the work that asks."""

    account: str
    contract_id: str
    period: Period
    revision: int
    now: datetime
    traceparent: str | None = None

    @property
    def contract(self) -> Key:
        return self.account, self.contract_id

    @property
    def bill(self) -> Key:
        return self.account, bill_id(self.contract_id, self.period.number, self.revision)


class Parts(NamedTuple):
    """What a contract's bills are made of: all versions of its terms, the oldest first."""

    contract: ContractRow
    versions: list[Terms]
    subscriber: SubscriberRow


def begin_bills(session: Session, orders: Sequence[BillRequest], per_second: float = PER_SECOND) -> Sequence[BillRow]:
    """The bills in the order of `orders`, locked. With each new one the next period's gets its turn, at so many
    `per_second`.

    Nothing is left to do for one that is `made` or `void` already, or whose status says that it is parked. A contract
    that begins anew asks for the first revision, and gets the one that its period has.
    """
    bills = {(bill.account, bill.bill_id): bill for bill in lock_bills(session, {order.bill for order in orders})}
    made_of = _made_of(session, {order.contract for order in orders})
    hours: Hours = defaultdict(list)
    begun: list[BillRow] = []
    for order in orders:
        bill = bills.get(order.bill)
        if bill is not None and bill.void:
            bill = _bill_in_force(session, order) or bill
        if bill is None or not (bill.made or bill.void):
            bill = _begin(session, order, made_of[order.contract], bill, hours)
        bills[order.bill] = bill
        begun.append(bill)
    _give_turns(session, hours, per_second)
    return begun


def _begin(session: Session, order: BillRequest, parts: Parts, bill: BillRow | None, hours: Hours) -> BillRow:
    terms = in_force(parts.versions, order.period.number)
    version, policy = current_policy(session, order.account)
    policy = changed(policy, terms.policy_override)
    if bill is None:
        if order.revision > 0:
            _void_earlier_revision(session, order)
        bill = _frozen(order, parts.contract, terms, version, policy)
        next_due = BillingTime(lead_days=policy.renewal_lead_days).shifted(order.period.end, bill.zone)
        hours[order.account, hour_of(next_due)].append(bill)
    track_bill(session, bill)
    bill.attempts += 1
    bill.parked_reason = bill.parked_field = bill.provider_message = None
    bill.status = BillStatus.CREATING
    session.add(bill)
    if bill.total_minor == 0:
        bill.made = True
        finish_without_invoice(session, bill)
    else:
        _choose_way(session, bill, parts.subscriber, terms, policy)
    return bill


def _give_turns(session: Session, hours: Hours, per_second: float) -> None:
    for account, hour in sorted(hours):  # always in this order, so that no two wait for each other
        bills = hours[account, hour]
        for place, bill in zip(take_start_slots(session, account, hour, len(bills)), bills, strict=True):
            bill.start_slot_seconds = start_slot_seconds(place, per_second)


def _void_earlier_revision(session: Session, order: BillRequest) -> None:
    """IDEM-8: the slot is freed in the transaction that fills it again."""
    earlier = _bill_in_force(session, order)
    if earlier is not None:
        void_bill(session, earlier)
        session.flush()


def _bill_in_force(session: Session, order: BillRequest) -> BillRow | None:
    return session.scalars(
        sa.select(BillRow)
        .where(BillRow.account == order.account, BillRow.contract_id == order.contract_id)
        .where(BillRow.period_no == order.period.number, BillRow.void.is_(False))
        .with_for_update()
    ).one_or_none()


def _made_of(session: Session, contracts: Collection[Key]) -> dict[Key, Parts]:
    """Account and policy are read in the same query, so that whoever wants them in this transaction has them."""
    found: dict[Key, Parts] = {}
    for contract, terms, subscriber, _, _ in session.execute(_MADE_OF, apart(contracts)):
        parts = found.setdefault((contract.account, contract.contract_id), Parts(contract, [], subscriber))
        parts.versions.append(Terms.model_validate(terms, from_attributes=True))
    return found


def _frozen(order: BillRequest, contract: ContractRow, terms: Terms, version: int, policy: Policy) -> BillRow:
    rows = rows_for(terms.lines, contract.prices_include_vat)
    sums = totals(rows)
    account, identity = order.bill
    bill = BillRow(
        account=account,
        bill_id=identity,
        contract_id=contract.contract_id,
        zone=Schedule.model_validate(contract.schedule).zone,
        period_no=order.period.number,
        revision=order.revision,
        period_start=order.period.start,
        period_end=order.period.end,
        created_at=order.now,
        version=0,
        status=BillStatus.CREATING,
        made=False,
        void=False,
        attempts=0,
        traceparent=order.traceparent,
        mode=policy.mode,
        payment_days=policy.payment_days,
        rows=[row.model_dump(mode="json") for row in rows],
        currency=contract.currency,
        agreed_total_minor=agreed_total_minor(terms.lines, contract.prices_include_vat),
        total_minor=sums.total_minor,
        vat_minor=sums.vat_minor,
        rounding_minor=sums.rounding_minor,
        remaining_minor=sums.total_minor,
    )
    apply_policy(bill, version, policy)
    return bill


def _choose_way(session: Session, bill: BillRow, reader: SubscriberRow, terms: Terms, policy: Policy) -> None:
    subscriber = Subscriber.model_validate(reader.subscriber)
    reach = Reach(
        email=subscriber.email,
        phone=subscriber.phone,
        address=subscriber.address,
        edi_number=terms.edi_number or subscriber.edi_number,
    )
    method = choose_method(terms.delivery_method, reach, policy.default_delivery_method, policy.placeholder_domains)
    bill.delivery_method = method
    bill.edi_number = reach.edi_number if method is DeliveryMethod.EDI else None
    if method is None:
        park_bill(session, bill, Parked(reason=ParkedReason.UNDELIVERABLE), "")
