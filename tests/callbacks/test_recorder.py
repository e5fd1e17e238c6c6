"""A stored callback finds its bill, waits 24 hours for it, or is ignored."""

import time

import pytest
import simplejson
import sqlalchemy as sa

from avtal.billogram.transport import http_client
from avtal.callbacks.recorder import CallbackRecorder
from avtal.contracts.bills.bill import BillStatus
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.queues.inbox import claim_callbacks
from avtal.store.tables import BillRow, CallbackRow
from tests.store.builders import ACCOUNT, BILL, KEY, NOW, new_bill, new_callback, new_contract


def body(custom: str | None, kind: str = "BillogramSent", **fields: object) -> str:
    usual = {
        "callback_id": "one",
        "callback_type": "BillogramEvent",
        "custom": custom,
        "billogram": {"id": "Xk29fPw", "state": "Unpaid", "detailed_sums": {}},
        "event": {"type": kind, "created_at": "2026-11-21 12:00:01", "data": None, "event_uuid": "u-1"},
    }
    return str(simplejson.dumps(usual | fields))


async def recorded(database: Database, text: str, *, hours_old: int = 0) -> CallbackRow:
    with database.write() as session:
        new_callback(session, "one", "Xk29fPw", text, time.time() - hours_old * 3600)
        (callback,) = claim_callbacks(session, time.time(), 10)
    async with http_client() as http:
        await CallbackRecorder(database, Cipher(KEY), http, lambda: None).record(callback)
    with database.read() as session:
        return session.scalars(sa.select(CallbackRow)).one()


async def test_a_callback_that_precedes_the_create_response_finds_the_bill(database: Database) -> None:
    with database.write() as session:
        new_contract(session)
        new_bill(session)
    callback = await recorded(database, body(BILL))
    with database.read() as session:
        bill = session.get_one(BillRow, (ACCOUNT, BILL))

    assert callback.state == "done"
    assert (bill.billogram_id, bill.status, bill.dispatched_on) == ("Xk29fPw", BillStatus.CREATING, NOW.date())


async def test_a_callback_without_a_bill_is_retried(database: Database) -> None:
    callback = await recorded(database, body(BILL))

    assert (callback.state, callback.attempts, callback.leased_until) == ("new", 1, 0.0)
    assert callback.next_attempt_at > time.time()


async def test_a_callback_without_a_bill_is_unmatched_after_a_day(database: Database) -> None:
    callback = await recorded(database, body(BILL), hours_old=25)

    assert (callback.state, callback.last_error) == ("unmatched", f"no bill {BILL}")


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (body(None), "ignored"),
        (body("order 4711"), "ignored"),
        (body(BILL, callback_type="RecipientUpdated"), "ignored"),
        (body(BILL, event={"type": 7}), "unmatched"),
    ],
    ids=["no id", "foreign id", "event about no invoice", "unknown format"],
)
async def test_foreign_callbacks_are_ignored_and_unreadable_ones_unmatched(
    database: Database, text: str, state: str
) -> None:
    assert (await recorded(database, text)).state == state
