"""The sweep, on the real sandbox: what no callback told is recorded, and only what contradicts the list is read.

The platform's list can't be filtered by what changed since, and offers its pages by offset over live data.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import simplejson
import sqlalchemy as sa
from aiohttp.web import BaseRequest, Response, json_response

from activities.billing import BillingActivities
from activities.inputs import MakeBillInput
from avtal.billogram import client
from avtal.billogram import invoice_reads as readings
from avtal.billogram.errors import PlatformUnavailable
from avtal.callbacks.recorder import CallbackRecorder
from avtal.contracts.bills.bill import BillStatus, FactType, bill_id
from avtal.contracts.policy import Mode
from avtal.reconciliation.findings import Kind, Report
from avtal.reconciliation.sweep import Reconciler
from avtal.store.accounts.accounts import AccountNotFound, PlatformAccess, set_platform
from avtal.store.billing.bills import lock_bill
from avtal.store.billing.facts import facts_of
from avtal.store.billing.reconciliation import accounts
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.clock import Clock
from avtal.store.engine.database import Database
from avtal.store.queues.inbox import claim_callbacks
from avtal.store.tables import BillRow, CallbackRow, OutboxRow
from billogram_sandbox_tests.client import KEY as PLATFORM_KEY
from billogram_sandbox_tests.client import USER, Json, data
from tests.billogram.builders import Platform, answering
from tests.store.builders import ACCOUNT, CONTRACT, KEY, come, first_period, new_store, sold

LISTS = {"GET /billogram": 2}


class MovableClock(Clock):
    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Publisher:
    """One account on one store, whose callbacks never come; `other` on the platform is its staff and its readers."""

    def __init__(self, database: Database, platform: Platform) -> None:
        self.database = database
        self.platform = platform
        self.clock = MovableClock()
        self.billing = BillingActivities(database, Cipher(KEY), platform.http)

    async def bill(self, contract_id: str = CONTRACT) -> str:
        """Made at the platform, and all known of it; the platform's id."""
        with self.database.write() as session:
            sold(session, contract_id)
        order = MakeBillInput(
            account=ACCOUNT, contract_id=contract_id, period=first_period(), revision=0, now=datetime.now(UTC)
        )
        await self.billing.make_bill(order)
        billogram_id = self.row(contract_id).billogram_id
        assert billogram_id is not None
        return billogram_id

    async def sweep(self) -> Report:
        reconciling = Reconciler(self.database, Cipher(KEY), self.platform.http, self.clock, lambda: None)
        return await reconciling.sweep(ACCOUNT)

    async def finds(self) -> list[tuple[Kind, str | None]]:
        return [(one.kind, one.bill_id) for one in (await self.sweep()).findings]

    async def command(self, billogram_id: str, name: str, body: object = None) -> None:
        assert (await self.platform.other.command(billogram_id, name, body)).status_code == 200

    async def recall(self, billogram_id: str) -> None:
        await self.platform.other.control("POST", f"/billograms/{billogram_id}/recall")

    def row(self, contract_id: str = CONTRACT) -> BillRow:
        with self.database.read() as session:
            return session.get_one(BillRow, (ACCOUNT, bill_id(contract_id, 0, 0)))

    def events(self, contract_id: str = CONTRACT) -> set[str]:
        """The events that are known of the bill, by their uuids."""
        with self.database.read() as session:
            row = session.get_one(BillRow, (ACCOUNT, bill_id(contract_id, 0, 0)))
            return {fact.event_uuid for fact in facts_of(session, row) if fact.event_uuid}

    def told(self) -> int:
        """How many news wait for contracts."""
        with self.database.read() as session:
            count = sa.select(sa.func.count()).select_from(OutboxRow).where(OutboxRow.bill_id.is_not(None))
            return session.scalar(count) or 0


@pytest.fixture
def publisher(store_url: str, platform: Platform) -> Iterator[Publisher]:
    database = new_store(store_url)
    use(database, platform)
    yield Publisher(database, platform)
    database.close()


@pytest.fixture
def drafting(store_url: str, platform: Platform) -> Iterator[Publisher]:
    database = new_store(store_url, Mode.DRAFT)
    use(database, platform)
    yield Publisher(database, platform)
    database.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "WAITS_SECONDS", (0.0,) * 6)


def use(database: Database, platform: Platform) -> None:
    access = PlatformAccess(url=f"{platform.url}/api/v2", user=USER, key=PLATFORM_KEY)
    with database.write() as session:
        set_platform(session, Cipher(KEY), ACCOUNT, access)


Deed = Callable[[Publisher, str], Awaitable[Any]]
BILL = bill_id(CONTRACT, 0, 0)
FAR = "2100-01-31"
MISSED: dict[str, tuple[list[Deed], Kind, BillStatus]] = {
    "paid": ([lambda one, it: one.platform.other.pay(it)], Kind.SETTLED, BillStatus.PAID),
    "paid in part": ([lambda one, it: one.platform.other.pay(it, amount="95.00")], Kind.CHANGED, BillStatus.OPEN),
    "paid, and marked so by staff": (
        [lambda one, it: one.command(it, "payment", {"amount": 395})],
        Kind.SETTLED,
        BillStatus.PAID,
    ),
    "credited": ([lambda one, it: one.command(it, "credit", {"mode": "full"})], Kind.SETTLED, BillStatus.CREDITED),
    "lost": ([lambda one, it: one.command(it, "confirmed-loss")], Kind.LOST, BillStatus.EXPIRED),
    "lost, and paid after all": (
        [lambda one, it: one.command(it, "confirmed-loss"), lambda one, it: one.platform.other.pay(it, amount="395")],
        Kind.SETTLED,
        BillStatus.PAID,
    ),
    "doubtful": ([lambda one, it: one.command(it, "writedown")], Kind.HISTORY, BillStatus.OPEN),
    "given respite": ([lambda one, it: one.command(it, "respite", {"date": FAR})], Kind.CHANGED, BillStatus.OPEN),
    "paid and recalled": (
        [lambda one, it: one.platform.other.pay(it), lambda one, it: one.recall(it)],
        Kind.CHANGED,
        BillStatus.OPEN,
    ),
}


@pytest.mark.parametrize(("deeds", "kind", "status"), MISSED.values(), ids=MISSED)
async def test_what_no_callback_told_is_recorded_and_a_second_sweep_finds_nothing(
    publisher: Publisher, deeds: list[Deed], kind: Kind, status: BillStatus
) -> None:
    """Events are dated to the second, so that a first sweep a second later sees what came at once as newer."""
    billogram_id = await publisher.bill()
    await publisher.platform.other.advance("1h")
    for deed in deeds:
        await deed(publisher, billogram_id)
    first = await publisher.finds()
    bill, second = publisher.row(), await publisher.sweep()
    remote = await publisher.platform.other.get(billogram_id)

    assert first == [(kind, BILL)]
    assert bill.status == status
    assert publisher.events() == {event["event_uuid"] for event in remote["events"]}
    assert publisher.told() == (0 if kind is Kind.HISTORY else 1)
    assert (second.findings, second.read) == ((), 0)


async def test_a_sweep_that_finds_nothing_reads_lists_only(publisher: Publisher) -> None:
    for number in range(3):
        await publisher.bill(f"c-{number}")
    await publisher.platform.requests()
    report = await publisher.sweep()

    assert (report.findings, report.read, report.pages) == ((), 0, 2)
    assert await publisher.platform.requests() == LISTS


async def test_a_sweep_costs_its_pages_and_one_request_for_each_bill_that_contradicts_them(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (client, readings):
        monkeypatch.setattr(module, "PAGE_SIZE", 3)
    ours = [await publisher.bill(f"c-{number}") for number in range(8)]
    for billogram_id in ours[2:5]:
        await publisher.platform.other.pay(billogram_id)
    await publisher.platform.requests()
    report = await publisher.sweep()

    assert [one.kind for one in report.findings] == [Kind.SETTLED] * 3
    assert (report.pages, report.read) == (4, 3)
    assert await publisher.platform.requests() == {"GET /billogram": 4, "GET /billogram/{id}": 3}


async def test_an_old_invoice_that_was_paid_is_read_though_no_list_shows_it(publisher: Publisher) -> None:
    """Ended invoices are listed by the day on which they were invoiced, and only the newer ones."""
    billogram_id = await publisher.bill()
    publisher.clock.ahead = timedelta(days=400)
    await publisher.platform.other.pay(billogram_id)

    assert await publisher.finds() == [(Kind.SETTLED, BILL)]
    assert await publisher.finds() == []


async def test_a_recall_after_the_payment_was_recorded_reopens_the_bill(publisher: Publisher) -> None:
    billogram_id = await publisher.bill()
    await publisher.platform.other.pay(billogram_id)
    await publisher.sweep()
    publisher.clock.ahead = timedelta(days=400)
    await publisher.recall(billogram_id)

    assert await publisher.finds() == [(Kind.REOPENED, BILL)]
    assert (publisher.row().status, publisher.row().remaining_minor) == (BillStatus.OPEN, 395_00)
    assert await publisher.finds() == []


async def test_a_respite_that_was_removed_leaves_the_first_due_date(publisher: Publisher) -> None:
    billogram_id = await publisher.bill()
    before = publisher.row().due_date
    await publisher.platform.other.advance("1h")
    await publisher.command(billogram_id, "respite", {"date": FAR})
    await publisher.sweep()
    during = publisher.row().due_date
    await publisher.platform.other.advance("1h")
    await publisher.command(billogram_id, "remove-respite")
    await publisher.sweep()

    assert (str(during), publisher.row().due_date) == (FAR, before)
    assert await publisher.finds() == []


async def test_a_draft_that_was_sent_is_open_with_its_due_date(drafting: Publisher) -> None:
    billogram_id = await drafting.bill()
    await drafting.command(billogram_id, "send", {"method": "Email"})
    first = await drafting.finds()
    remote = await drafting.platform.other.get(billogram_id)

    assert first == [(Kind.DISPATCHED, BILL)]
    assert (drafting.row().status, str(drafting.row().due_date)) == (BillStatus.OPEN, remote["due_date"])
    assert await drafting.finds() == []


async def test_a_draft_that_is_gone_was_deleted(drafting: Publisher) -> None:
    billogram_id = await drafting.bill()
    assert (await drafting.platform.other.api("DELETE", f"/billogram/{billogram_id}")).status_code == 200

    assert await drafting.finds() == [(Kind.DELETED, BILL)]
    assert (drafting.row().status, drafting.row().parked_reason) == (BillStatus.PARKED, "remote_deleted")
    assert (await drafting.sweep()).read == 0


async def test_an_old_draft_that_nobody_touched_is_not_read_again_each_day(drafting: Publisher) -> None:
    """A draft shows the due date that it would have today."""
    await drafting.bill()
    await drafting.platform.other.advance("3d")

    assert (await drafting.sweep()).read == 0


async def test_a_sent_invoice_that_is_not_found_twice_ten_minutes_apart_is_reported_and_nothing_changed(
    publisher: Publisher,
) -> None:
    await publisher.bill()
    await publisher.platform.other.control("POST", "/reset")
    first, at_once = await publisher.finds(), await publisher.finds()
    publisher.clock.ahead = timedelta(minutes=11)

    assert (first, at_once) == ([(Kind.NOT_FOUND, BILL)], [(Kind.NOT_FOUND, BILL)])
    assert await publisher.finds() == [(Kind.VANISHED, BILL)]
    assert (publisher.row().status, publisher.told()) == (BillStatus.OPEN, 0)


async def test_a_first_sighting_is_forgotten_when_the_invoice_is_shown_again(publisher: Publisher) -> None:
    await publisher.bill()
    with publisher.database.write() as session:
        session.get_one(BillRow, (ACCOUNT, BILL)).missing_since = datetime.now(UTC) - timedelta(hours=1)

    assert await publisher.finds() == []
    assert publisher.row().missing_since is None


async def test_an_invoice_under_a_key_of_ours_that_no_bill_has_is_reported(publisher: Publisher) -> None:
    shortened = "a-very-long-contract-id~0123456789abcdef"
    for key in ("c-9:0:r0", shortened, "order 4711", None):
        await publisher.platform.other.sent(**({"creditor_unique_value": key} if key else {}))

    assert await publisher.finds() == [(Kind.UNKNOWN, shortened), (Kind.UNKNOWN, "c-9:0:r0")]


async def test_a_bill_that_is_being_made_is_left_to_its_maker(publisher: Publisher) -> None:
    """Its invoice is at the platform, and the answer has not come; or a callback has bound it already."""
    long = "a-contract-whose-id-is-far-too-long-for-the-platform"
    for contract_id in (CONTRACT, long):
        await publisher.bill(contract_id)
        with publisher.database.write() as session:
            row = session.get_one(BillRow, (ACCOUNT, bill_id(contract_id, 0, 0)))
            row.status, row.made, row.billogram_id = BillStatus.CREATING, False, None
    unbound = await publisher.sweep()
    with publisher.database.write() as session:
        session.get_one(BillRow, (ACCOUNT, BILL)).billogram_id = "elsewhere"

    assert (unbound.findings, unbound.read) == ((), 0)
    assert await publisher.finds() == [(Kind.UNKNOWN, BILL)]


async def test_more_events_than_a_billogram_shows_are_all_read(publisher: Publisher) -> None:
    billogram_id = await publisher.bill()
    for _ in range(110):
        await publisher.command(billogram_id, "resend")
    await publisher.platform.other.pay(billogram_id)
    await publisher.platform.requests()
    await publisher.sweep()

    assert len(publisher.events()) == 114
    assert await publisher.platform.requests() == {**LISTS, "GET /billogram/{id}": 1, "GET /billogram_event": 2}


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_callbacks_are_lost_double_or_late_one_sweep_leads_to_the_same_facts(
    publisher: Publisher, seed: int
) -> None:
    chance = random.Random(seed)
    deeds = {f"c-{number}": chance.choice([*MISSED.values()])[0] for number in range(4)}
    other = publisher.platform.other
    bills = {contract_id: await publisher.bill(contract_id) for contract_id in deeds}
    await other.control("PUT", "/account", {"callback_url": "http://127.0.0.1:9/", "sign_key": "s"})
    await other.control("PUT", "/faults", {"callbacks": {"drop": 1}})
    for contract_id, its in deeds.items():
        for deed in its:
            await other.advance("1h")
            await deed(publisher, bills[contract_id])
    told = [each["body"] for each in await other.callbacks()]
    await other.control("PUT", "/account", {"callback_url": None, "sign_key": None})
    some = chance.sample(told, len(told) // 2)
    for body in chance.sample(some * 2, len(some) * 2):
        await heard(publisher, body)
    await publisher.sweep()
    again = await publisher.sweep()

    for contract_id, billogram_id in bills.items():
        remote = await other.get(billogram_id)
        assert publisher.events(contract_id) == {event["event_uuid"] for event in remote["events"]}
    assert (again.findings, again.read) == ((), 0)


async def test_two_sweeps_at_once_record_everything_once(publisher: Publisher) -> None:
    for number in range(6):
        await publisher.platform.other.pay(await publisher.bill(f"c-{number}"))
    reports = await asyncio.gather(publisher.sweep(), publisher.sweep())

    assert sorted(one.bill_id or "" for report in reports for one in report.findings) == [
        bill_id(f"c-{number}", 0, 0) for number in range(6)
    ]
    assert publisher.told() == 6


async def test_a_platform_that_stumbles_is_asked_again_and_one_that_is_down_ends_the_sweep(
    publisher: Publisher,
) -> None:
    await publisher.platform.other.pay(await publisher.bill())
    await publisher.platform.fails(status_503=0.4, retry_after=0)
    stumbled = await publisher.finds()
    await publisher.platform.fails(down=True, retry_after=0)
    with pytest.raises(PlatformUnavailable):
        await publisher.sweep()

    assert stumbled == [(Kind.SETTLED, BILL)]


async def test_a_platform_that_wants_to_be_asked_much_later_is_not_waited_for(publisher: Publisher) -> None:
    await publisher.platform.requests()
    await publisher.platform.fails(down=True, retry_after=600)
    with pytest.raises(PlatformUnavailable):
        await publisher.sweep()

    assert await publisher.platform.requests() == {"GET /billogram": 1}


async def test_a_list_without_an_end_is_not_read_for_ever() -> None:
    page = {"status": "OK", "meta": {"total_count": 250}, "data": [{"id": "a", "state": "Unpaid"}] * 100}

    async def answer(_: BaseRequest) -> Response:
        return json_response(page)

    async with answering(answer) as platform:
        assert len([page async for page in readings.open_invoices(platform)]) == 12


async def test_callbacks_that_found_no_bill_are_counted(publisher: Publisher) -> None:
    with publisher.database.write() as session:
        for number, (state, attempts) in enumerate([("unmatched", 9), ("new", 3), ("new", 0), ("done", 1)]):
            come(session, str(number), str(number), came_at=time.time())
            row = session.scalars(sa.select(CallbackRow).where(CallbackRow.callback_id == str(number))).one()
            row.state, row.attempts = state, attempts
    callbacks = (await publisher.sweep()).callbacks

    assert (callbacks.unmatched, callbacks.failing) == (1, 1)


async def test_an_outcome_that_no_event_explains_is_reported_each_time_and_read_once(publisher: Publisher) -> None:
    """As if we had lost the facts of a bill, and knew that its invoice had not changed since they were read."""
    billogram_id = await publisher.bill()
    await publisher.platform.other.pay(billogram_id)
    await publisher.sweep()
    with publisher.database.write() as session:
        bill = lock_bill(session, ACCOUNT, BILL)
        assert bill is not None
        bill.status = BillStatus.OPEN
    again = await publisher.sweep()

    assert [one.kind for one in again.findings] == [Kind.UNEXPLAINED]
    assert again.read == 0


async def test_a_paid_bill_of_which_only_the_costs_of_being_late_remain_is_no_finding(publisher: Publisher) -> None:
    """ACC-4. Fees and interest are Billogram's; each sweep asks again whether no more remains than they."""
    billogram_id, other = await publisher.bill(), publisher.platform.other
    await other.advance("60d")
    publisher.clock.ahead = timedelta(days=60)
    reminded = data(await other.command(billogram_id, "remind"))
    paid = await other.pay(billogram_id, amount=str(reminded["total_sum"]))
    reports = [await publisher.sweep() for _ in range(2)]
    await other.control("POST", f"/billograms/{billogram_id}/recall")
    reports += [await publisher.sweep()]

    assert (paid["state"], paid["remaining_sum"]) == ("PartlyPaid", 60)
    assert [[one.kind for one in report.findings] for report in reports] == [[Kind.SETTLED], [], [Kind.REOPENED]]
    assert [report.read for report in reports] == [1, 1, 1]


async def test_an_account_that_is_not_there_can_not_be_swept(publisher: Publisher) -> None:
    reconciling = Reconciler(publisher.database, Cipher(KEY), publisher.platform.http, Clock(), lambda: None)
    with publisher.database.read() as session:
        assert accounts(session) == [ACCOUNT]
    with pytest.raises(AccountNotFound):
        await reconciling.sweep("nobody")


async def test_a_recall_that_is_told_reopens_the_bill_and_reads_it(publisher: Publisher) -> None:
    """Its callback names neither us nor the sums."""
    billogram_id = await publisher.bill()
    other = publisher.platform.other
    await other.pay(billogram_id)
    await publisher.sweep()
    await other.control("PUT", "/account", {"callback_url": "http://127.0.0.1:9/", "sign_key": "s"})
    await other.control("PUT", "/faults", {"callbacks": {"drop": 1}})
    await publisher.recall(billogram_id)
    (told,) = [each["body"] for each in await other.callbacks()]
    await other.control("PUT", "/account", {"callback_url": None, "sign_key": None})
    await publisher.platform.requests()
    await heard(publisher, told)
    requests = await publisher.platform.requests()
    with publisher.database.read() as session:
        facts = facts_of(session, session.get_one(BillRow, (ACCOUNT, BILL)))

    assert [fact.amount_minor for fact in facts if fact.type is FactType.PAYMENT_REVERSED] == [395_00]
    assert (publisher.row().status, requests) == (BillStatus.OPEN, {"GET /billogram/{id}": 1})
    assert await publisher.finds() == []


async def heard(publisher: Publisher, body: Json) -> None:
    """A callback that did come, worked off by the relay."""
    with publisher.database.write() as session:
        text = simplejson.dumps(body, use_decimal=True)
        session.execute(sa.delete(CallbackRow))
        come(session, body["callback_id"], "subject", text, time.time())
        (callback,) = claim_callbacks(session, time.time(), 1)
    await CallbackRecorder(publisher.database, Cipher(KEY), publisher.platform.http, lambda: None).record(callback)
