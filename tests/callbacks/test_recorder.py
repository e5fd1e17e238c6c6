"""The relay's first half: a kept callback finds its bill, or waits 24 hours for it, or is none of ours."""

import time
from pathlib import Path

import pytest
import simplejson
import sqlalchemy as sa
from aiohttp import ClientSession

from avtal.callbacks.recorder import CallbackRecorder
from avtal.contracts.bills.bill import BillStatus
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.queues.inbox import claim_callbacks
from avtal.store.tables import BillRow, CallbackRow
from tests.store.builders import ACCOUNT, BILL, KEY, NOW, begun, come, new_store, sold


def body(custom: str | None, kind: str = "BillogramSent", **more: object) -> str:
    told = {
        "callback_id": "one",
        "callback_type": "BillogramEvent",
        "custom": custom,
        "billogram": {"id": "Xk29fPw", "state": "Unpaid", "detailed_sums": {}},
        "event": {"type": kind, "created_at": "2026-11-21 12:00:01", "data": None, "event_uuid": "u-1"},
    }
    return str(simplejson.dumps(told | more))


async def recorded(database: Database, told: str, *, given_up: bool = False) -> CallbackRow:
    with database.write() as session:
        came_at = time.time() - (25 * 3600 if given_up else 0)
        come(session, "one", "Xk29fPw", told, came_at)
        (callback,) = claim_callbacks(session, time.time(), 10)
    async with ClientSession() as http:
        await CallbackRecorder(database, Cipher(KEY), http, lambda: None).record(callback)
    with database.read() as session:
        return session.scalars(sa.select(CallbackRow)).one()


async def test_a_callback_that_comes_before_the_create_returns_is_bound_by_our_id(database: Database) -> None:
    with database.write() as session:
        sold(session)
        begun(session)
    callback = await recorded(database, body(BILL))
    with database.read() as session:
        bill = session.get_one(BillRow, (ACCOUNT, BILL))

    assert callback.state == "done"
    assert (bill.billogram_id, bill.status, bill.dispatched_on) == ("Xk29fPw", BillStatus.CREATING, NOW.date())


async def test_a_callback_of_a_bill_that_is_not_there_is_tried_again_and_listed_after_a_day(
    database: Database, tmp_path: Path
) -> None:
    waiting = await recorded(database, body(BILL))
    other = new_store(f"sqlite:///{tmp_path / 'other.db'}")
    listed = await recorded(other, body(BILL), given_up=True)
    other.close()

    assert (waiting.state, waiting.attempts) == ("new", 1)
    assert waiting.next_attempt_at > time.time()
    assert (listed.state, listed.last_error) == ("unmatched", f"no bill {BILL}")


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (body(None), "ignored"),
        (body("order 4711"), "ignored"),
        (body(BILL, callback_type="RecipientUpdated"), "ignored"),
        (body(BILL, event={"type": 7}), "unmatched"),
    ],
    ids=["no name of ours", "another's name", "a kind that tells of no invoice", "words that we can't read"],
)
async def test_what_is_not_ours_is_ignored_and_what_can_not_be_read_is_listed(
    database: Database, told: str, state: str
) -> None:
    assert (await recorded(database, told)).state == state
