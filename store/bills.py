"""The bill's row from its first write to its last: frozen when it is begun, then changed by facts and by us.

What a bill is made of (terms, policy, rows) is read once and frozen with it. Each time that it is begun anew, after a
failure or by a person, only its way to the reader is chosen again.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from contracts.bill import BillRecord, BillStatus, Parked, ParkedReason, bill_id, platform_key
from contracts.delivery import DeliveryMethod, Reach, choose_method
from contracts.invoice import InvoiceOrder, RemoteInvoice, Subscriber
from contracts.money import Row, agreed_total_minor, rows_for, totals
from contracts.periods import Period, civil_day
from contracts.policy import Mode, OnLoss, Policy, RenewalWhileOff, changed
from contracts.terms import BillingTime, Schedule
from contracts.turns import PER_SECOND, turn_seconds
from store.accounts import current_policy
from store.facts import facts_of, parked_of, recompute, record_facts
from store.schema import AccountRow, BillRow, ContractRow, PolicyRow, SubscriberRow, Table, TermsRow
from store.terms import Terms, in_force
from store.turns import take_place
from store.watching import watch_bill


def _same(one: type[Table], other: type[Table], *columns: str) -> sa.ColumnElement[bool]:
    return sa.and_(*(getattr(one, column) == getattr(other, column) for column in columns))


_MADE_OF = (
    sa.select(ContractRow, TermsRow, SubscriberRow, AccountRow, PolicyRow)
    .join(TermsRow, _same(TermsRow, ContractRow, "account", "contract_id"))
    .join(SubscriberRow, _same(SubscriberRow, ContractRow, "account", "subscriber_id"))
    .join(AccountRow, AccountRow.account == ContractRow.account)
    .join(PolicyRow, sa.and_(PolicyRow.account == AccountRow.account, PolicyRow.version == AccountRow.policy_version))
    .where(ContractRow.account == sa.bindparam("account"), ContractRow.contract_id == sa.bindparam("contract_id"))
    .order_by(TermsRow.version)
)
"""Built once, like others that are asked often: to build a statement takes longer than to ask it."""
_LOCK = (
    sa.select(BillRow)
    .where(BillRow.account == sa.bindparam("account"), BillRow.bill_id == sa.bindparam("bill_id"))
    .with_for_update()
    .execution_options(populate_existing=True)
)


def begin_bill(
    session: Session,
    account: str,
    contract_id: str,
    period: Period,
    revision: int,
    now: datetime,
    per_second: float = PER_SECOND,
) -> BillRow:
    """The bill, locked, and written before anything is said to the platform (IDEM-2). With it the next period's bill
    gets its turn, at so many `per_second`.

    Nothing is left to do if it is `made` or `void` already, or if its status says that it is parked. A contract that
    begins anew asks for the first revision, and gets the one that its period has.
    """
    bill = lock_bill(session, account, bill_id(contract_id, period.number, revision))
    if bill is not None and bill.void:
        bill = _bill_in_force(session, account, contract_id, period) or bill
    if bill is not None and (bill.made or bill.void):
        return bill
    contract, terms, subscriber = _made_of(session, account, contract_id, period)
    version, policy = current_policy(session, account)
    policy = changed(policy, terms.policy_override)
    if bill is None:
        if revision > 0:
            _void_earlier_revision(session, account, contract_id, period)
        bill = _frozen(contract, terms, period, revision, version, policy, now)
        next_due = BillingTime(lead_days=policy.renewal_lead_days).shifted(period.end, bill.zone)
        bill.turn_seconds = turn_seconds(take_place(session, account, next_due), per_second)
    watch_bill(session, bill)
    bill.attempts += 1
    bill.parked_reason = bill.parked_field = bill.trouble = None
    bill.status = BillStatus.CREATING
    if bill.total_minor == 0:
        bill.made = True
        _finish(session, bill)
    else:
        _choose_way(session, bill, subscriber, terms, policy)
    session.add(bill)
    return bill


def lock_bill(session: Session, account: str, identity: str) -> BillRow | None:
    return session.scalars(_LOCK, {"account": account, "bill_id": identity}).one_or_none()


def order_of(bill: BillRow, customer_no: int, now: datetime) -> InvoiceOrder:
    """What the platform is asked for; an automatic bill is dated on the day on which it is issued (PER-11)."""
    is_automatic = bill.mode == Mode.AUTOMATIC
    method = DeliveryMethod(bill.delivery_method) if bill.delivery_method else None
    last_day = Period(number=bill.period_no, start=bill.period_start, end=bill.period_end).last_day
    return InvoiceOrder(
        key=platform_key(bill.bill_id),
        custom=bill.bill_id,
        customer_no=customer_no,
        currency=bill.currency,
        rows=tuple(Row.model_validate(row) for row in bill.rows),
        row_text=f"{bill.period_start} – {last_day}",
        payment_days=bill.payment_days,
        invoice_date=civil_day(now, bill.zone) if is_automatic else None,
        edi_number=bill.edi_number if method is DeliveryMethod.EDI else None,
        send_by=method if is_automatic else None,
    )


def finish_bill(session: Session, bill: BillRow, invoice: RemoteInvoice, customer_no: int) -> None:
    """The platform has the invoice: from now on facts decide. A callback may have named it before (EDGE-14)."""
    if bill.billogram_id not in (None, invoice.billogram_id):
        park_bill(session, bill, Parked(reason=ParkedReason.DUPLICATE_REMOTE), "")
        return
    expected = bill.total_minor
    bill.customer_no = customer_no
    bill.made = True
    take_over(bill, invoice)
    has_risen = record_facts(session, bill, invoice.facts, tell=False)
    if not _is_expected(invoice, expected):
        park_bill(session, bill, Parked(reason=ParkedReason.AMOUNT_MISMATCH, field="total_sum"), "")
    elif not has_risen:
        bill.version += 1


def _is_expected(invoice: RemoteInvoice, total_minor: int) -> bool:
    """The platform's own invoice fee is no mismatch; with one, rounding may differ by less than a krona."""
    difference = abs(invoice.total_minor - invoice.fee_minor - total_minor)
    return difference < 100 if invoice.fee_minor else difference == 0


def take_over(bill: BillRow, invoice: RemoteInvoice) -> None:
    """What only the platform knows of its invoice."""
    bill.billogram_id = invoice.billogram_id
    bill.invoice_no, bill.ocr_number, bill.invoice_url = invoice.invoice_no, invoice.ocr_number, invoice.url
    bill.vat_minor, bill.rounding_minor = invoice.vat_minor, invoice.rounding_minor
    bill.imprint = invoice.shown.imprint if invoice.shown else None
    bill.vanished_at = None


def park_bill(session: Session, bill: BillRow, parked: Parked, words: str) -> None:
    """`words` are the platform's own, for the person who mends it."""
    watch_bill(session, bill)
    bill.parked_reason, bill.parked_field, bill.trouble = parked.reason, parked.field, words or None
    _finish(session, bill)


def void_bill(session: Session, bill: BillRow) -> None:
    bill.void = True
    _finish(session, bill)


def record_of(bill: BillRow) -> BillRecord:
    return BillRecord(
        bill_id=bill.bill_id,
        period=bill.period_no,
        revision=bill.revision,
        version=bill.version,
        status=BillStatus(bill.status),
        dispatched_on=bill.dispatched_on,
        due_date=bill.due_date,
        remaining_minor=bill.remaining_minor,
        lost_at=bill.lost_at,
        reopened_on=bill.reopened_on,
        parked=parked_of(bill) if bill.status == BillStatus.PARKED else None,
        policy_version=bill.policy_version,
        grace_days=bill.grace_days,
        on_loss=OnLoss(bill.on_loss),
        lead_days=bill.lead_days,
        work_window_minutes=bill.work_window_minutes,
        turn_seconds=bill.turn_seconds,
        renewal_while_off=RenewalWhileOff(bill.renewal_while_off),
        max_open_bills=bill.max_open_bills,
    )


def lay_policy(bill: BillRow, version: int, policy: Policy) -> None:
    """What of a policy steers a bill after it was made."""
    bill.policy_version = version
    bill.grace_days, bill.on_loss = policy.grace_days, policy.on_loss
    bill.lead_days, bill.work_window_minutes = policy.renewal_lead_days, policy.work_window_minutes
    bill.renewal_while_off, bill.max_open_bills = policy.renewal_while_off, policy.max_open_bills


def _finish(session: Session, bill: BillRow) -> None:
    """The answer to the contract's own order: always news, and returned instead of signalled."""
    session.flush()
    if not recompute(session, bill, facts_of(session, bill), tell=False):
        bill.version += 1


def _void_earlier_revision(session: Session, account: str, contract_id: str, period: Period) -> None:
    """IDEM-8: the slot is freed in the transaction that fills it again."""
    earlier = _bill_in_force(session, account, contract_id, period)
    if earlier is not None:
        void_bill(session, earlier)
        session.flush()


def _bill_in_force(session: Session, account: str, contract_id: str, period: Period) -> BillRow | None:
    return session.scalars(
        sa.select(BillRow)
        .where(BillRow.account == account, BillRow.contract_id == contract_id, BillRow.period_no == period.number)
        .where(BillRow.void.is_(False))
        .with_for_update()
    ).one_or_none()


def _made_of(
    session: Session, account: str, contract_id: str, period: Period
) -> tuple[ContractRow, Terms, SubscriberRow]:
    """The contract, the terms that hold for this period, and its reader.

    Account and policy are read in the same query, so that whoever wants them in this transaction has them.
    """
    found = session.execute(_MADE_OF, {"account": account, "contract_id": contract_id}).all()
    contract, _, subscriber, _, _ = found[0]
    versions = [Terms.model_validate(row[1], from_attributes=True) for row in found]
    return contract, in_force(versions, period.number), subscriber


def _frozen(
    contract: ContractRow, terms: Terms, period: Period, revision: int, version: int, policy: Policy, now: datetime
) -> BillRow:
    rows = rows_for(terms.lines, contract.prices_include_vat)
    sums = totals(rows)
    bill = BillRow(
        account=contract.account,
        bill_id=bill_id(contract.contract_id, period.number, revision),
        contract_id=contract.contract_id,
        zone=Schedule.model_validate(contract.schedule).zone,
        period_no=period.number,
        revision=revision,
        period_start=period.start,
        period_end=period.end,
        created_at=now,
        version=0,
        status=BillStatus.CREATING,
        made=False,
        void=False,
        attempts=0,
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
    lay_policy(bill, version, policy)
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
