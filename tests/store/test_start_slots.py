"""Start slots of an account's renewals."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from avtal.contracts.lifecycle.state import initial_state
from avtal.contracts.lifecycle.transitions import bill_made, bill_requested, next_due
from avtal.contracts.periods import local_midnight
from avtal.contracts.policy import Mode
from avtal.store.billing.start_slots import take_start_slots
from avtal.store.engine.database import Database
from avtal.store.queries.contracts import contract, snapshot_of_row
from avtal.store.tables.snapshots import snapshot_of
from tests.store.builders import ACCOUNT, CONTRACT, NOW, first_period, new_account, new_bill, new_contract, start_bill


def take(database: Database, account: str = ACCOUNT, later: timedelta = timedelta()) -> int:
    with database.write() as session:
        return take_start_slots(session, account, NOW + later)[0]


def test_each_account_and_hour_has_its_own_slots(database: Database) -> None:
    new_account(database, Mode.DRAFT, "other")

    assert [take(database), take(database, later=timedelta(minutes=59))] == [0, 1]
    assert take(database, later=timedelta(hours=1)) == 0
    assert [take(database, "other"), take(database)] == [0, 2]


def test_no_slot_is_taken_twice(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        slots = list(pool.map(lambda _: take(database), range(40)))

    assert sorted(slots) == list(range(40))


def test_next_renewal_is_due_at_its_start_slot(database: Database) -> None:
    """At one renewal in ten seconds, less the three seconds without a delay, the second one waits for eight."""
    waits = []
    for name in (CONTRACT, "c-2"):
        with database.write() as session:
            new_contract(session, name)
            bill = snapshot_of(start_bill(session, ACCOUNT, name, first_period(), 0, NOW, per_second=0.1))
            stored = contract(session, ACCOUNT, name)
            assert stored is not None
            new = initial_state(stored.schedule, NOW, snapshot_of_row(stored), name)
            state = bill_requested(new, name, first_period(), 0)
        due = next_due(bill_made(state, bill.bill_id, bill.model_copy(update={"version": 1}), NOW), NOW)
        assert due is not None
        waits.append(due - local_midnight(first_period().end, stored.schedule.zone))

    assert waits == [timedelta(0), timedelta(seconds=8)]


def test_retried_bill_takes_no_second_slot(database: Database) -> None:
    with database.write() as session:
        new_contract(session)
    for _ in range(2):
        with database.write() as session:
            due = local_midnight(first_period().end, new_bill(session).zone)

    assert take(database, later=due - NOW) == 1
