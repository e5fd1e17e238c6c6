"""The invoice that the platform made, compared with the one that was requested."""

import pytest

from avtal.contracts.bills.bill import BillStatus, FactType, ParkedReason
from avtal.contracts.bills.invoice import RemoteInvoice
from avtal.store.billing.bills import MadeInvoice, finish_bills
from avtal.store.engine.database import Database
from avtal.store.tables import BillRow
from tests.store.builders import ACCOUNT, BILL, fact, finish_bill, new_bill, new_contract

TOTAL = 395_00


@pytest.fixture
def database(database: Database) -> Database:
    with database.write() as session:
        new_contract(session)
    return database


def invoice(total_minor: int, fee_minor: int = 0) -> RemoteInvoice:
    invoiced = fact(FactType.INVOICED).model_copy(update={"total_minor": total_minor})
    return RemoteInvoice(
        billogram_id="Xk29fPw", key=BILL, customer_no=1000, currency="SEK", rows=(), is_draft=False,
        total_minor=total_minor, paid_minor=0, remaining_minor=total_minor, fee_minor=fee_minor,
        vat_minor=0, rounding_minor=0, due_date=None, invoice_no=1, ocr_number=None, url=None, facts=(invoiced,),
    )  # fmt: skip


@pytest.mark.parametrize("total_minor", [TOTAL - 1, TOTAL + 1])
def test_bill_whose_invoice_has_another_total_is_parked(database: Database, total_minor: int) -> None:
    """EDGE-33."""
    with database.write() as session:
        finish_bill(session, new_bill(session), invoice(total_minor), 1000)
    with database.read() as session:
        bill = session.get_one(BillRow, (ACCOUNT, BILL))

    assert (bill.status, bill.parked_reason) == (BillStatus.PARKED, ParkedReason.AMOUNT_MISMATCH)
    assert bill.billogram_id == "Xk29fPw"


def test_invoice_fee_of_the_platform_does_not_park_the_bill(database: Database) -> None:
    with database.write() as session:
        finish_bill(session, new_bill(session), invoice(TOTAL + 29_00, fee_minor=29_00), 1000)
    with database.read() as session:
        bill = session.get_one(BillRow, (ACCOUNT, BILL))

    assert (bill.status, bill.remaining_minor) == (BillStatus.OPEN, TOTAL + 29_00)


def test_second_invoice_parks_the_bill_and_keeps_its_payment(database: Database) -> None:
    """Both invoices arrive in one batch."""
    first = invoice(TOTAL)
    first = first.model_copy(update={"facts": (*first.facts, fact(FactType.PAYMENT, 100_00))})
    invoices = [first, invoice(TOTAL).model_copy(update={"billogram_id": "another"})]
    with database.write() as session:
        new_bill(session)
        finish_bills(session, [MadeInvoice(ACCOUNT, BILL, one, 1000) for one in invoices])
    with database.read() as session:
        bill = session.get_one(BillRow, (ACCOUNT, BILL))

    assert (bill.status, bill.parked_reason) == (BillStatus.PARKED, ParkedReason.DUPLICATE_REMOTE)
    assert (bill.billogram_id, bill.remaining_minor) == ("Xk29fPw", TOTAL - 100_00)
