"""The page of a bill: its amounts, its invoice, its history."""

from datetime import date, timedelta
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import Response

from avtal.contracts.access.access import grace_ends
from avtal.contracts.bills.bill import BillStatus, add_up, bill_parts
from avtal.portal.history import history_entries
from avtal.portal.sessions import PageContext
from avtal.portal.templating import render_page
from avtal.portal.texts import ENGLISH
from avtal.store.queries.bills import StoredBill, bill, history
from avtal.store.queries.contracts import contract
from avtal.store.queries.portal import subscribers_of

TONES = {
    BillStatus.CREATING: "quiet",
    BillStatus.DRAFT: "waiting",
    BillStatus.OPEN: "waiting",
    BillStatus.PAID: "good",
    BillStatus.CREDITED: "good",
    BillStatus.EXPIRED: "bad",
    BillStatus.PARKED: "bad",
    BillStatus.VOID: "quiet",
}


class BillView(NamedTuple):
    """A bill with the values that a page derives from it."""

    bill: StoredBill
    status: str
    tone: str
    revision: int
    last_day: date
    grace_ends: date | None
    provider_message: str


def bill_view(bill: StoredBill) -> BillView:
    parts = bill_parts(bill.bill_id)
    assert parts is not None, "every stored bill has a valid id"
    return BillView(
        bill=bill,
        status=_status(bill),
        tone=TONES[bill.status],
        revision=parts[2],
        last_day=bill.period_end - timedelta(days=1),
        grace_ends=grace_ends(bill),
        provider_message=": ".join(part for part in (bill.parked_field, bill.provider_message) if part),
    )


def bill_page(context: PageContext) -> Response:
    bill_id = context.request.path_params["bill_id"]
    with context.portal.database.read() as session:
        found = bill(session, context.account, bill_id) if bill_parts(bill_id) else None
        if found is None:
            raise HTTPException(404)
        bills_contract = contract(session, context.account, found.contract_id)
        assert bills_contract is not None, "every bill has a contract"
        subscriber_id = bills_contract.subscriber_id
        subscriber = subscribers_of(session, context.account, [subscriber_id])[subscriber_id]
        facts = history(session, context.account, bill_id)
    return render_page(
        context.request,
        "bill.html",
        view=bill_view(found),
        sums=add_up(facts, found.total_minor),
        contract=bills_contract,
        zone=bills_contract.schedule.zone,
        subscriber=subscriber,
        history=history_entries(facts, found.currency, ENGLISH),
    )


def _status(bill: StoredBill) -> str:
    if bill.status is BillStatus.PAID and bill.total_minor == 0:
        return ENGLISH.bill_nothing_to_pay
    return ENGLISH.bill_status[bill.status]
