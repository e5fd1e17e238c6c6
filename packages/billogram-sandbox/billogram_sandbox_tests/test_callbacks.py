"""Callbacks over real HTTP: what they say, their signatures, their order, and what happens when they fail."""

import hashlib
import hmac
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from billogram_sandbox_tests.client import Client, Receiver, eventually, row
from billogram_sandbox_tests.conftest import running


async def test_a_callback_is_signed_in_both_ways_and_says_what_happened(live: Client, receiver: Receiver) -> None:
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


async def test_a_full_payment_is_told_twice_first_unpaid_then_ended(live: Client, receiver: Receiver) -> None:
    billogram = await live.sent()
    await live.pay(billogram["id"])
    payment, ended = (await receiver.holds(4))[2:]

    assert (payment.type, payment.body["billogram"]["state"]) == ("Payment", "Unpaid")
    assert payment.body["billogram"]["remaining_sum"] == 0
    assert payment.body["billogram"]["detailed_sums"]["paid_sum"] == -149
    assert (ended.type, ended.body["billogram"]["state"]) == ("BillogramEnded", "Paid")


async def test_a_billogram_may_name_its_own_receiver_and_key(live: Client, receiver: Receiver) -> None:
    own = {"url": receiver.url + "/own", "sign_key": "other"}
    await live.draft(callbacks=own)
    body = (await receiver.holds(1))[0].body

    assert body["signature"] == hashlib.md5(f"{body['callback_id']}other".encode()).hexdigest()


async def test_without_a_receiver_nothing_is_queued(client: Client) -> None:
    await client.sent()

    assert (await client.control("GET", "/callbacks")) == {"total_count": 0, "callbacks": []}
    assert (await client.control("GET", "/clock"))["callbacks_pending"] == 0


async def test_a_deleted_draft_is_told_last(live: Client, receiver: Receiver) -> None:
    draft = await live.draft()
    await live.api("DELETE", f"/billogram/{draft['id']}")
    created, deleted = await receiver.holds(2)

    assert (created.type, deleted.type) == ("BillogramCreated", "Deleted")
    assert deleted.body["billogram"]["state"] == "Deleted"


async def test_a_failed_callback_is_sent_again_as_itself_before_any_later_one(live: Client, receiver: Receiver) -> None:
    """Redirects are not followed, so they are failures too."""
    receiver.answers = [500, 302]
    billogram = await live.sent()
    await live.quiet()
    first, second, third, sent = receiver.received
    told = (await live.control("GET", f"/callbacks?billogram_id={billogram['id']}"))["callbacks"]

    assert first.raw == second.raw == third.raw
    assert first.headers["billogram-request-timestamp"] != third.headers["billogram-request-timestamp"]
    assert sent.type == "BillogramSent"
    assert [attempt["status"] for attempt in told[0]["attempts"]] == [500, 302, 200]
    assert [attempt["error"] for attempt in told[0]["attempts"]] == ["answered 500", "answered 302", None]
    assert [each["outcome"] for each in told] == ["delivered", "delivered"]


async def test_a_callback_that_waits_holds_up_its_billogram_and_no_other(live: Client, receiver: Receiver) -> None:
    """The third retry is half a minute away, unless the account is configured anew."""
    receiver.answers = [500, 500, 500]
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


async def test_a_callback_given_up_lets_the_next_one_go(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers = [500, 500, 500]
    async with running(tmp_path / "short.db", retry_for=10) as client:
        await client.control("PUT", "/account", {"callback_url": receiver.url})
        await client.sent()
        await client.quiet()
        told = (await client.control("GET", "/callbacks"))["callbacks"]

    assert [each["outcome"] for each in told] == ["given_up", "delivered"]
    assert "billogram-signature" not in receiver.received[-1].headers
    assert receiver.received[-1].body["signature"] is None


async def test_order_holds_per_billogram_while_many_are_sent_at_once(live: Client, receiver: Receiver) -> None:
    receiver.answers = [500, 200, 503, 500] * 5
    ids = [(await live.sent(customer={"customer_no": 1} if n else await _one(live)))["id"] for n in range(12)]
    for each in ids:
        await live.pay(each)
    await live.quiet()

    for each in ids:
        seen = list(dict.fromkeys(receiver.types(each)))
        assert seen == ["BillogramCreated", "BillogramSent", "Payment", "BillogramEnded"]


async def test_callbacks_are_listed_by_pages_and_filtered_by_what_became_of_them(client: Client) -> None:
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


async def test_callbacks_survive_the_process_that_could_not_send_them(tmp_path: Path, receiver: Receiver) -> None:
    async with running(tmp_path / "kept.db") as before:
        await before.control("PUT", "/account", {"callback_url": "http://127.0.0.1:9/closed", "sign_key": "s"})
        billogram = await before.sent(items=[row()])
    async with running(tmp_path / "kept.db") as after:
        await after.control("PUT", "/account", {"callback_url": receiver.url, "sign_key": "s"})
        await after.quiet()

    assert receiver.types(billogram["id"]) == ["BillogramCreated", "BillogramSent"]


async def test_a_file_of_an_earlier_day_is_opened_and_goes_on(tmp_path: Path, receiver: Receiver) -> None:
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
