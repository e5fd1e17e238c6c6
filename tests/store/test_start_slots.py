"""Places of renewals in their account's hour."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from avtal.contracts.lifecycle.state import initial_state
from avtal.contracts.lifecycle.transitions import bill_made, bill_requested, next_due
from avtal.contracts.periods import local_midnight
from avtal.contracts.policy import Mode
from avtal.store.billing.bills import snapshot_of
from avtal.store.billing.start_slots import take_start_slots
from avtal.store.engine.database import Database
from avtal.store.queries.contracts import contract, snapshot_of_row
from tests.store.builders import ACCOUNT, CONTRACT, NOW, begin_bill, begun, first_period, make_account, sold


def take(database: Database, account: str = ACCOUNT, later: timedelta = timedelta()) -> int:
    with database.write() as session:
        return take_start_slots(session, account, NOW + later)[0]


def test_each_account_and_hour_has_places_of_its_own(database: Database) -> None:
    make_account(database, Mode.DRAFT, "other")

    assert [take(database), take(database, later=timedelta(minutes=59))] == [0, 1]
    assert take(database, later=timedelta(hours=1)) == 0
    assert [take(database, "other"), take(database)] == [0, 2]


def test_no_place_is_given_twice(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        places = list(pool.map(lambda _: take(database), range(40)))

    assert sorted(places) == list(range(40))


def test_the_next_renewal_is_due_when_it_is_its_turn(database: Database) -> None:
    """One renewal in ten seconds, of which a fifth may begin at once: the second waits for eight seconds."""
    waits = []
    for name in (CONTRACT, "c-2"):
        with database.write() as session:
            sold(session, name)
            bill = snapshot_of(begin_bill(session, ACCOUNT, name, first_period(), 0, NOW, per_second=0.1))
            stored = contract(session, ACCOUNT, name)
            assert stored is not None
            new = initial_state(stored.schedule, NOW, snapshot_of_row(stored), name)
            state = bill_requested(new, name, first_period(), 0)
        due = next_due(bill_made(state, bill.bill_id, bill.model_copy(update={"version": 1}), NOW), NOW)
        assert due is not None
        waits.append(due - local_midnight(first_period().end, stored.schedule.zone))

    assert waits == [timedelta(0), timedelta(seconds=8)]


def test_a_bill_that_is_begun_again_takes_no_second_place(database: Database) -> None:
    with database.write() as session:
        sold(session)
    for _ in range(2):
        with database.write() as session:
            due = local_midnight(first_period().end, begun(session).zone)

    assert take(database, later=due - NOW) == 1
