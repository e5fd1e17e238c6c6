"""The page of one bill: its figures, where its invoice is, and everything that happened to it."""

from datetime import date, timedelta
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import Response

from avtal.contracts.access.access import grace_ends
from avtal.contracts.bills.bill import BillStatus, add_up, bill_parts
from avtal.portal.history import told
from avtal.portal.sessions import Visit
from avtal.portal.templating import page
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


class Shown(NamedTuple):
    """A bill with what is said of it. `their_words` are the platform's own, about why it is parked."""

    bill: StoredBill
    status: str
    tone: str
    revision: int
    last_day: date
    grace_ends: date | None
    their_words: str


def shown(bill: StoredBill) -> Shown:
    parts = bill_parts(bill.bill_id)
    assert parts is not None, "the store holds bills by their ids"
    return Shown(
        bill=bill,
        status=_status(bill),
        tone=TONES[bill.status],
        revision=parts[2],
        last_day=bill.period_end - timedelta(days=1),
        grace_ends=grace_ends(bill),
        their_words=": ".join(part for part in (bill.parked_field, bill.provider_message) if part),
    )


def one(visit: Visit) -> Response:
    bill_id = visit.request.path_params["bill_id"]
    with visit.portal.database.read() as session:
        found = bill(session, visit.account, bill_id) if bill_parts(bill_id) else None
        if found is None:
            raise HTTPException(404)
        of = contract(session, visit.account, found.contract_id)
        assert of is not None, "a bill has a contract"
        reader = subscribers_of(session, visit.account, [of.subscriber_id])[of.subscriber_id]
        facts = history(session, visit.account, bill_id)
    return page(
        visit.request,
        "bill.html",
        shown=shown(found),
        figures=add_up(facts, found.total_minor),
        contract=of,
        zone=of.schedule.zone,
        reader=reader,
        history=told(facts, found.currency, ENGLISH),
    )


def _status(bill: StoredBill) -> str:
    if bill.status is BillStatus.PAID and bill.total_minor == 0:
        return ENGLISH.bill_nothing_to_pay
    return ENGLISH.bill_status[bill.status]
