"""What the platform made of our order, compared with what we ordered, when the bill's row is finished."""

import pytest

from avtal.contracts.bills.bill import BillStatus, FactType, ParkedReason
from avtal.contracts.bills.invoice import RemoteInvoice
from avtal.store.billing.bills import MadeInvoice, finish_bills
from avtal.store.engine.database import Database
from avtal.store.tables import BillRow
from tests.store.builders import ACCOUNT, BILL, begun, fact, finish_bill, sold

TOTAL = 395_00


@pytest.fixture
def database(database: Database) -> Database:
    with database.write() as session:
        sold(session)
    return database


def invoice(total_minor: int, fee_minor: int = 0) -> RemoteInvoice:
    invoiced = fact(FactType.INVOICED).model_copy(update={"total_minor": total_minor})
    return RemoteInvoice(
        billogram_id="Xk29fPw", key=BILL, customer_no=1000, currency="SEK", rows=(), is_draft=False,
        total_minor=total_minor, paid_minor=0, remaining_minor=total_minor, fee_minor=fee_minor,
        vat_minor=0, rounding_minor=0, due_date=None, invoice_no=1, ocr_number=None, url=None, facts=(invoiced,),
    )  # fmt: skip


@pytest.mark.parametrize("total_minor", [TOTAL - 1, TOTAL + 1])
def test_an_invoice_with_another_sum_than_ours_is_parked(database: Database, total_minor: int) -> None:
    """EDGE-33."""
    with database.write() as session:
        finish_bill(session, begun(session), invoice(total_minor), 1000)
    with database.read() as session:
        bill = session.get_one(BillRow, (ACCOUNT, BILL))

    assert (bill.status, bill.parked_reason) == (BillStatus.PARKED, ParkedReason.AMOUNT_MISMATCH)
    assert bill.billogram_id == "Xk29fPw"


def test_the_platforms_own_fee_is_no_other_sum(database: Database) -> None:
    with database.write() as session:
        finish_bill(session, begun(session), invoice(TOTAL + 29_00, fee_minor=29_00), 1000)
    with database.read() as session:
        bill = session.get_one(BillRow, (ACCOUNT, BILL))

    assert (bill.status, bill.remaining_minor) == (BillStatus.OPEN, TOTAL + 29_00)


def test_two_invoices_for_one_bill_are_parked_and_what_was_paid_stays(database: Database) -> None:
    """Both answers come with one batch."""
    first = invoice(TOTAL)
    first = first.model_copy(update={"facts": (*first.facts, fact(FactType.PAYMENT, 100_00))})
    answers = [first, invoice(TOTAL).model_copy(update={"billogram_id": "another"})]
    with database.write() as session:
        begun(session)
        finish_bills(session, [MadeInvoice(ACCOUNT, BILL, answer, 1000) for answer in answers])
    with database.read() as session:
        bill = session.get_one(BillRow, (ACCOUNT, BILL))

    assert (bill.status, bill.parked_reason) == (BillStatus.PARKED, ParkedReason.DUPLICATE_REMOTE)
    assert (bill.billogram_id, bill.remaining_minor) == ("Xk29fPw", TOTAL - 100_00)
