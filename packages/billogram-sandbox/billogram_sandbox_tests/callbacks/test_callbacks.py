"""Callbacks over real HTTP: content, signatures, order, retries."""

import hashlib
import hmac
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from billogram_sandbox_tests.client import Client, Receiver, eventually, row
from billogram_sandbox_tests.server import running


async def test_callback_has_both_signatures_and_the_event(live: Client, receiver: Receiver) -> None:
    billogram = await live.sent(callbacks={"custom": "8841"})
    got = (await receiver.holds(2))[1]
    stamp, body = got.headers["billogram-request-timestamp"], got.body
    signed = hmac.new(b"s3cret", f"{stamp}:".encode() + got.raw, hashlib.sha256).hexdigest()

    assert got.headers["billogram-signature"] == signed
    assert abs(float(stamp) - time.time()) < 60
    assert body["signature"] == hashlib.md5(f"{body['callback_id']}s3cret".encode()).hexdigest()
    assert (body["callback_type"], body["custom"]) == ("BillogramEvent", "8841")
    assert body["event"] == billogram["events"][1]
    assert body["billogram"] == {
        key: billogram[key]
        for key in ("id", "state", "ocr_number", "total_sum", "remaining_sum", "attested_at", "detailed_sums")
    }


async def test_full_payment_sends_payment_then_ended(live: Client, receiver: Receiver) -> None:
    billogram = await live.sent()
    await live.pay(billogram["id"])
    payment, ended = (await receiver.holds(4))[2:]

    assert (payment.type, payment.body["billogram"]["state"]) == ("Payment", "Unpaid")
    assert payment.body["billogram"]["remaining_sum"] == 0
    assert payment.body["billogram"]["detailed_sums"]["paid_sum"] == -149
    assert (ended.type, ended.body["billogram"]["state"]) == ("BillogramEnded", "Paid")


async def test_billogram_may_have_its_own_callback_url_and_key(live: Client, receiver: Receiver) -> None:
    own = {"url": receiver.url + "/own", "sign_key": "other"}
    await live.draft(callbacks=own)
    body = (await receiver.holds(1))[0].body

    assert body["signature"] == hashlib.md5(f"{body['callback_id']}other".encode()).hexdigest()


async def test_without_callback_url_nothing_is_queued(client: Client) -> None:
    await client.sent()

    assert (await client.control("GET", "/callbacks")) == {"total_count": 0, "callbacks": []}
    assert (await client.control("GET", "/clock"))["callbacks_pending"] == 0


async def test_deletion_is_the_last_callback_of_a_draft(live: Client, receiver: Receiver) -> None:
    draft = await live.draft()
    await live.api("DELETE", f"/billogram/{draft['id']}")
    created, deleted = await receiver.holds(2)

    assert (created.type, deleted.type) == ("BillogramCreated", "Deleted")
    assert deleted.body["billogram"]["state"] == "Deleted"


async def test_failed_callback_is_retried_unchanged_before_later_ones(live: Client, receiver: Receiver) -> None:
    """A redirect is a failure too."""
    receiver.statuses = [500, 302]
    billogram = await live.sent()
    await live.quiet()
    first, second, third, sent = receiver.received
    listed = (await live.control("GET", f"/callbacks?billogram_id={billogram['id']}"))["callbacks"]

    assert first.raw == second.raw == third.raw
    assert first.headers["billogram-request-timestamp"] != third.headers["billogram-request-timestamp"]
    assert sent.type == "BillogramSent"
    assert [attempt["status"] for attempt in listed[0]["attempts"]] == [500, 302, 200]
    assert [attempt["error"] for attempt in listed[0]["attempts"]] == ["answered 500", "answered 302", None]
    assert [each["outcome"] for each in listed] == ["delivered", "delivered"]


async def test_waiting_callback_delays_its_billogram_only(live: Client, receiver: Receiver) -> None:
    """The third retry is half a minute away, or follows a change of the account."""
    receiver.statuses = [500, 500, 500]
    stuck = await live.sent()
    await receiver.holds(3)
    await _nothing_due(live)
    free = await live.sent()
    await receiver.holds(5)
    waiting = await live.control("GET", "/clock")
    await live.control("PUT", "/account", {"callback_url": receiver.url, "sign_key": "s3cret"})
    await live.quiet()

    assert receiver.types(free["id"]) == ["BillogramCreated", "BillogramSent"]
    assert (waiting["callbacks_pending"], waiting["callbacks_due"]) == (2, 0)
    assert receiver.types(stuck["id"]) == ["BillogramCreated"] * 4 + ["BillogramSent"]


async def test_abandoned_callback_releases_the_next(tmp_path: Path, receiver: Receiver) -> None:
    receiver.statuses = [500, 500, 500]
    async with running(tmp_path / "short.db", retry_seconds_max=10) as client:
        await client.control("PUT", "/account", {"callback_url": receiver.url})
        await client.sent()
        await client.quiet()
        listed = (await client.control("GET", "/callbacks"))["callbacks"]

    assert [each["outcome"] for each in listed] == ["given_up", "delivered"]
    assert "billogram-signature" not in receiver.received[-1].headers
    assert receiver.received[-1].body["signature"] is None


async def test_order_is_kept_per_billogram_in_parallel_sending(live: Client, receiver: Receiver) -> None:
    receiver.statuses = [500, 200, 503, 500] * 5
    ids = [(await live.sent(customer={"customer_no": 1} if n else await _one(live)))["id"] for n in range(12)]
    for each in ids:
        await live.pay(each)
    await live.quiet()

    orders = {tuple(dict.fromkeys(receiver.types(each))) for each in ids}

    assert orders == {("BillogramCreated", "BillogramSent", "Payment", "BillogramEnded")}


async def test_callbacks_are_paged_and_filtered_by_outcome(client: Client) -> None:
    await client.control("PUT", "/account", {"callback_url": "http://127.0.0.1:9/"})
    await client.draft()
    await client.control("PUT", "/faults", {"callbacks": {"drop": 1}})
    await client.sent()
    pages = [await client.control("GET", f"/callbacks?page_size=2&page={number}") for number in (1, 2, 3)]
    newest = await client.control("GET", "/callbacks?page_size=1&order_direction=desc")
    dropped = await client.control("GET", "/callbacks?outcome=dropped")

    assert [page["total_count"] for page in pages] == [3, 3, 3]
    assert [[each["type"] for each in page["callbacks"]] for page in pages] == [
        ["BillogramCreated", "BillogramCreated"], ["BillogramSent"], [],
    ]  # fmt: skip
    assert newest["callbacks"] == pages[1]["callbacks"]
    assert [each["outcome"] for each in dropped["callbacks"]] == ["dropped", "dropped"]
    assert (await client.http.get("/sandbox/callbacks?page_size=1001")).status_code == 400


async def test_pending_callbacks_survive_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    async with running(tmp_path / "a.db") as before:
        await before.control("PUT", "/account", {"callback_url": "http://127.0.0.1:9/closed", "sign_key": "s"})
        billogram = await before.sent(items=[row()])
    async with running(tmp_path / "a.db") as after:
        await after.control("PUT", "/account", {"callback_url": receiver.url, "sign_key": "s"})
        await after.quiet()

    assert receiver.types(billogram["id"]) == ["BillogramCreated", "BillogramSent"]


async def test_older_file_is_opened_and_migrated(tmp_path: Path, receiver: Receiver) -> None:
    async with running(tmp_path / "old.db") as before:
        await before.control("PUT", "/account", {"callback_url": "http://127.0.0.1:9/closed"})
        billogram = await before.sent()
    with closing(sqlite3.connect(tmp_path / "old.db")) as file, file:
        file.execute("ALTER TABLE callbacks DROP COLUMN not_before")
        file.execute("UPDATE singles SET value = '{\"callback_url\": null, \"sign_key\": null}' WHERE name = 'account'")
    async with running(tmp_path / "old.db") as after:
        await after.control("PUT", "/account", {"callback_url": receiver.url})
        await after.pay(billogram["id"])
        await after.quiet()

    assert receiver.types(billogram["id"]) == ["BillogramCreated", "BillogramSent", "Payment", "BillogramEnded"]


async def _one(client: Client) -> dict[str, int]:
    return {"customer_no": (await client.customer())["customer_no"]}


async def _nothing_due(client: Client) -> None:
    async def none() -> bool:
        return bool((await client.control("GET", "/clock"))["callbacks_due"] == 0)

    await eventually(none)
