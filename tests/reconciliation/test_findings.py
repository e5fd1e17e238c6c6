"""What sweeps report: missing and unknown invoices, unexplained outcomes, and callbacks without facts."""

import time
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from avtal.contracts.bills.bill import BillStatus, bill_id
from avtal.reconciliation.findings import Kind
from avtal.reconciliation.sweep import Reconciler
from avtal.store.accounts.accounts import AccountNotFound
from avtal.store.billing.bill_locks import lock_bill
from avtal.store.billing.reconciliation import accounts
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.clock import Clock
from avtal.store.tables import BillRow, CallbackRow
from billogram_sandbox_tests.client import data
from tests.reconciliation.swept_account import BILL, SweptAccount
from tests.store.builders import ACCOUNT, CONTRACT, KEY, new_callback


async def test_a_missing_draft_counts_as_deleted(draft_account: SweptAccount) -> None:
    billogram_id = await draft_account.bill()
    assert (await draft_account.platform.other.api("DELETE", f"/billogram/{billogram_id}")).status_code == 200

    assert await draft_account.findings() == [(Kind.DELETED, BILL)]
    assert (draft_account.row().status, draft_account.row().parked_reason) == (BillStatus.PARKED, "remote_deleted")
    assert (await draft_account.sweep()).read == 0


async def test_a_missing_sent_invoice_is_reported_after_ten_minutes_and_changes_nothing(
    account: SweptAccount,
) -> None:
    await account.bill()
    await account.platform.other.control("POST", "/reset")
    first, second = await account.findings(), await account.findings()
    account.clock.ahead = timedelta(minutes=11)

    assert (first, second) == ([(Kind.NOT_FOUND, BILL)], [(Kind.NOT_FOUND, BILL)])
    assert await account.findings() == [(Kind.VANISHED, BILL)]
    assert (account.row().status, account.messages()) == (BillStatus.OPEN, 0)


async def test_an_invoice_that_reappears_is_no_longer_missing(account: SweptAccount) -> None:
    await account.bill()
    with account.database.write() as session:
        session.get_one(BillRow, (ACCOUNT, BILL)).missing_since = datetime.now(UTC) - timedelta(hours=1)

    assert await account.findings() == []
    assert account.row().missing_since is None


async def test_an_unknown_invoice_under_one_of_our_keys_is_reported(account: SweptAccount) -> None:
    shortened = "a-very-long-contract-id~0123456789abcdef"
    for key in ("c-9:0:r0", shortened, "order 4711", None):
        await account.platform.other.sent(**({"creditor_unique_value": key} if key else {}))

    assert await account.findings() == [(Kind.UNKNOWN, shortened), (Kind.UNKNOWN, "c-9:0:r0")]


async def test_a_bill_in_creation_is_skipped(account: SweptAccount) -> None:
    """Its invoice exists, and the response has not arrived; a callback may have set its id already."""
    long = "a-contract-whose-id-is-far-too-long-for-the-platform"
    for contract_id in (CONTRACT, long):
        await account.bill(contract_id)
        with account.database.write() as session:
            row = session.get_one(BillRow, (ACCOUNT, bill_id(contract_id, 0, 0)))
            row.status, row.made, row.billogram_id = BillStatus.CREATING, False, None
    unbound = await account.sweep()
    with account.database.write() as session:
        session.get_one(BillRow, (ACCOUNT, BILL)).billogram_id = "elsewhere"

    assert (unbound.findings, unbound.read) == ((), 0)
    assert await account.findings() == [(Kind.UNKNOWN, BILL)]


async def test_unmatched_and_failing_callbacks_are_counted(account: SweptAccount) -> None:
    with account.database.write() as session:
        for number, (state, attempts) in enumerate([("unmatched", 9), ("new", 3), ("new", 0), ("done", 1)]):
            new_callback(session, str(number), str(number), stored_at=time.time())
            row = session.scalars(sa.select(CallbackRow).where(CallbackRow.callback_id == str(number))).one()
            row.state, row.attempts = state, attempts
    callbacks = (await account.sweep()).callbacks

    assert (callbacks.unmatched, callbacks.failing) == (1, 1)


async def test_an_unexplained_outcome_is_reported_by_each_sweep_and_read_once(account: SweptAccount) -> None:
    """As if a bill had lost its facts, and its invoice had not changed since it was read."""
    billogram_id = await account.bill()
    await account.platform.other.pay(billogram_id)
    await account.sweep()
    with account.database.write() as session:
        bill = lock_bill(session, ACCOUNT, BILL)
        assert bill is not None
        bill.status = BillStatus.OPEN
    again = await account.sweep()

    assert [one.kind for one in again.findings] == [Kind.UNEXPLAINED]
    assert again.read == 0


async def test_a_paid_bill_with_unpaid_late_fees_is_no_finding(account: SweptAccount) -> None:
    """Late fees and interest are Billogram's (ACC-4). Each sweep checks that nothing else remains."""
    billogram_id, other = await account.bill(), account.platform.other
    await other.advance("60d")
    account.clock.ahead = timedelta(days=60)
    reminded = data(await other.command(billogram_id, "remind"))
    paid = await other.pay(billogram_id, amount=str(reminded["total_sum"]))
    reports = [await account.sweep() for _ in range(2)]
    await other.control("POST", f"/billograms/{billogram_id}/recall")
    reports += [await account.sweep()]

    assert (paid["state"], paid["remaining_sum"]) == ("PartlyPaid", 60)
    assert [[one.kind for one in report.findings] for report in reports] == [[Kind.SETTLED], [], [Kind.REOPENED]]
    assert [report.read for report in reports] == [1, 1, 1]


async def test_an_unknown_account_can_not_be_swept(account: SweptAccount) -> None:
    reconciler = Reconciler(account.database, Cipher(KEY), account.platform.http, Clock(), lambda: None)
    with account.database.read() as session:
        assert accounts(session) == [ACCOUNT]
    with pytest.raises(AccountNotFound):
        await reconciler.sweep("nobody")
