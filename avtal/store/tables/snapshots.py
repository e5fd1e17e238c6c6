"""Reads a bill's row as the frozen values of `contracts`."""

from avtal.contracts.bills.bill import BillSnapshot, BillStatus, Parked, ParkedReason
from avtal.contracts.policy import OnLoss, RenewalWhileOff
from avtal.store.tables.bills import BillRow


def snapshot_of(bill: BillRow) -> BillSnapshot:
    return BillSnapshot(
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
        start_slot_seconds=bill.start_slot_seconds,
        renewal_while_off=RenewalWhileOff(bill.renewal_while_off),
        max_open_bills=bill.max_open_bills,
    )


def parked_of(bill: BillRow) -> Parked | None:
    if bill.parked_reason is None:
        return None
    return Parked(reason=ParkedReason(bill.parked_reason), field=bill.parked_field)
