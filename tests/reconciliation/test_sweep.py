"""Sweeps over the sandbox: what callbacks missed is recorded, and only what contradicts the list is read.

The platform's list can't be filtered by what changed since, and offers its pages by offset over live data.
"""

from datetime import timedelta

import pytest

from avtal.billogram import client
from avtal.billogram import invoice_reads as readings
from avtal.contracts.bills.bill import BillStatus
from avtal.reconciliation.findings import Kind
from tests.reconciliation.swept_account import BILL, FAR, MISSED, Action, SweptAccount

LISTS = {"GET /billogram": 2}


@pytest.mark.parametrize(("actions", "kind", "status"), MISSED.values(), ids=MISSED)
async def test_a_missed_event_is_recorded_and_a_second_sweep_finds_nothing(
    account: SweptAccount, actions: list[Action], kind: Kind, status: BillStatus
) -> None:
    """Events are dated to the second. So the clock advances, to make them newer than the bill's facts."""
    billogram_id = await account.bill()
    await account.platform.other.advance("1h")
    for action in actions:
        await action(account, billogram_id)
    first = await account.findings()
    bill, second = account.row(), await account.sweep()
    remote = await account.platform.other.get(billogram_id)

    assert first == [(kind, BILL)]
    assert bill.status == status
    assert account.events() == {event["event_uuid"] for event in remote["events"]}
    assert account.messages() == (0 if kind is Kind.HISTORY else 1)
    assert (second.findings, second.read) == ((), 0)


async def test_a_sweep_that_finds_nothing_reads_only_lists(account: SweptAccount) -> None:
    for number in range(3):
        await account.bill(f"c-{number}")
    await account.platform.requests()
    report = await account.sweep()

    assert (report.findings, report.read, report.pages) == ((), 0, 2)
    assert await account.platform.requests() == LISTS


async def test_only_invoices_that_contradict_the_list_are_read(
    account: SweptAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (client, readings):
        monkeypatch.setattr(module, "PAGE_SIZE", 3)
    ours = [await account.bill(f"c-{number}") for number in range(8)]
    for billogram_id in ours[2:5]:
        await account.platform.other.pay(billogram_id)
    await account.platform.requests()
    report = await account.sweep()

    assert [one.kind for one in report.findings] == [Kind.SETTLED] * 3
    assert (report.pages, report.read) == (4, 3)
    assert await account.platform.requests() == {"GET /billogram": 4, "GET /billogram/{id}": 3}


async def test_an_old_paid_invoice_is_read_though_no_list_has_it(account: SweptAccount) -> None:
    """Ended invoices are listed by the day on which they were invoiced, and only the newer ones."""
    billogram_id = await account.bill()
    account.clock.ahead = timedelta(days=400)
    await account.platform.other.pay(billogram_id)

    assert await account.findings() == [(Kind.SETTLED, BILL)]
    assert await account.findings() == []


async def test_a_reversed_payment_reopens_a_paid_bill(account: SweptAccount) -> None:
    billogram_id = await account.bill()
    await account.platform.other.pay(billogram_id)
    await account.sweep()
    account.clock.ahead = timedelta(days=400)
    await account.recall(billogram_id)

    assert await account.findings() == [(Kind.REOPENED, BILL)]
    assert (account.row().status, account.row().remaining_minor) == (BillStatus.OPEN, 395_00)
    assert await account.findings() == []


async def test_a_removed_respite_restores_the_due_date(account: SweptAccount) -> None:
    billogram_id = await account.bill()
    before = account.row().due_date
    await account.platform.other.advance("1h")
    await account.command(billogram_id, "respite", {"date": FAR})
    await account.sweep()
    during = account.row().due_date
    await account.platform.other.advance("1h")
    await account.command(billogram_id, "remove-respite")
    await account.sweep()

    assert (str(during), account.row().due_date) == (FAR, before)
    assert await account.findings() == []


async def test_a_sent_draft_becomes_open_with_its_due_date(draft_account: SweptAccount) -> None:
    billogram_id = await draft_account.bill()
    await draft_account.command(billogram_id, "send", {"method": "Email"})
    first = await draft_account.findings()
    remote = await draft_account.platform.other.get(billogram_id)

    assert first == [(Kind.DISPATCHED, BILL)]
    assert (draft_account.row().status, str(draft_account.row().due_date)) == (BillStatus.OPEN, remote["due_date"])
    assert await draft_account.findings() == []


async def test_an_unchanged_draft_is_not_read_again(draft_account: SweptAccount) -> None:
    """A draft's due date is relative to today."""
    await draft_account.bill()
    await draft_account.platform.other.advance("3d")

    assert (await draft_account.sweep()).read == 0


async def test_all_events_of_a_long_history_are_read(account: SweptAccount) -> None:
    billogram_id = await account.bill()
    for _ in range(110):
        await account.command(billogram_id, "resend")
    await account.platform.other.pay(billogram_id)
    await account.platform.requests()
    await account.sweep()

    assert len(account.events()) == 114
    assert await account.platform.requests() == {**LISTS, "GET /billogram/{id}": 1, "GET /billogram_event": 2}
