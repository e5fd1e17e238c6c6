"""The commands that speak to the API: what they print, where, and how they end."""

import json
from pathlib import Path

import pytest

from avtal.store.engine.database import Database
from tests.cli.conftest import parked
from tests.cli.running import avtal, done, refused, sale

pytestmark = pytest.mark.usefixtures("url")


def test_one_sale_comes_from_a_file_or_from_stdin(tmp_path: Path) -> None:
    file = tmp_path / "sale.json"
    file.write_text(sale("c-1"))

    assert done("sell", "-f", str(file)).startswith("c-1 is sold. Access is on")
    assert done("sell", "-f", "-", stdin=sale("c-1")).startswith("c-1 was sold before")


def test_a_refused_row_is_named_by_its_line_and_the_others_go_on(tmp_path: Path) -> None:
    file = tmp_path / "sales.jsonl"
    file.write_text("\n".join([sale("c-1"), "", sale("c-2", currency="EUR", colour=1), "{", sale("c-3")]))
    result = avtal("sell", "-f", str(file))
    first, second = result.stderr.splitlines()

    assert result.exit_code == 1
    assert first.startswith("line 3: /currency: ")
    assert "/colour: no such field" in first
    assert second == "line 4: the body is not JSON"
    assert result.stdout == "sold 2, sold before 0, refused 2\n"
    assert [item["contract_id"] for item in json.loads(done("list", "--json"))["items"]] == ["c-1", "c-3"]


def test_show_tells_what_a_contract_is() -> None:
    done("sell", "-f", "-", stdin=sale("c-1"))
    shown = done("show", "c-1")

    assert "on (active) since 2026-11-21" in shown
    assert "0: 2026-11-21 – 2026-12-20" in shown
    assert "Global [red]" in shown
    assert json.loads(done("show", "c-1", "--json"))["next_renewal"] == "2026-12-21"


def test_show_of_a_parked_bill_says_why_and_what_to_run_next(served: Database) -> None:
    done("sell", "-f", "-", stdin=sale("c-1"))
    bill_id = parked(served, "c-1")
    shown = done("show", "c-1")

    assert "Billogram refused it" in shown
    assert "address.zipcode: not a zip code" in shown
    assert f"avtal retry {bill_id}" in shown
    assert f"avtal waive {bill_id} --reason" in shown


def test_bills_are_listed_for_a_person_and_for_a_program(served: Database) -> None:
    done("sell", "-f", "-", stdin=sale("c-1"))
    bill_id = parked(served, "c-1")

    assert "parked, waits for a person" in done("bills", "c-1")
    assert [item["bill_id"] for item in json.loads(done("bills", "c-1", "--json"))["items"]] == [bill_id]


def test_list_follows_cursors_and_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avtal.cli.contracts.PAGE", "2")
    done("sell", "-f", "-", stdin="\n".join(sale(f"c-{number}") for number in range(5)))

    assert all(f"c-{number}" in done("list") for number in range(5))
    assert json.loads(done("list", "--access", "off", "--json"))["items"] == []


def test_why_is_one_sentence() -> None:
    done("sell", "-f", "-", stdin=sale("c-1"))

    assert done("why", "c-1") == "Access is on: the contract runs until further notice. A cancellation would end it.\n"


def test_why_speaks_swedish_too() -> None:
    done("sell", "-f", "-", stdin=sale("c-1"))

    assert done("why", "c-1", "--language", "sv").startswith("Åtkomsten är på: avtalet löper tills vidare.")


@pytest.mark.parametrize("command", ["show", "why", "bills", "cancel", "revoke"])
def test_an_unknown_contract_is_one_line(command: str) -> None:
    assert refused(command, "nobody") == "no contract nobody"


def test_with_temporal_away_commands_say_to_ask_again(served: Database) -> None:
    done("sell", "-f", "-", stdin=sale("c-1"))
    bill_id = parked(served, "c-1")

    for command in (["cancel", "c-1"], ["revoke", "c-1"], ["retry", bill_id], ["waive", bill_id, "--reason", "gift"]):
        assert "nothing was changed" in refused(*command)
