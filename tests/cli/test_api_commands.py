"""Commands that call the JSON API: output, stderr, exit status."""

import json
from pathlib import Path

import pytest

from avtal.store.engine.database import Database
from tests.cli.command import avtal, refused, sale, succeeded
from tests.cli.conftest import parked

pytestmark = pytest.mark.usefixtures("url")


def test_a_sale_is_read_from_a_file_or_stdin(tmp_path: Path) -> None:
    file = tmp_path / "sale.json"
    file.write_text(sale("c-1"))

    assert succeeded("sell", "-f", str(file)).startswith("c-1 is sold. Access is on")
    assert succeeded("sell", "-f", "-", stdin=sale("c-1")).startswith("c-1 was sold before")


def test_a_refused_sale_is_named_by_line_and_does_not_stop_the_others(tmp_path: Path) -> None:
    file = tmp_path / "sales.jsonl"
    file.write_text("\n".join([sale("c-1"), "", sale("c-2", currency="EUR", colour=1), "{", sale("c-3")]))
    result = avtal("sell", "-f", str(file))
    first, second = result.stderr.splitlines()

    assert result.exit_code == 1
    assert first.startswith("line 3: /currency: ")
    assert "/colour: no such field" in first
    assert second == "line 4: the body is not JSON"
    assert result.stdout == "sold 2, sold before 0, refused 2\n"
    assert [item["contract_id"] for item in json.loads(succeeded("list", "--json"))["items"]] == ["c-1", "c-3"]


def test_show_prints_access_period_and_lines() -> None:
    succeeded("sell", "-f", "-", stdin=sale("c-1"))
    shown = succeeded("show", "c-1")

    assert "on (active) since 2026-11-21" in shown
    assert "0: 2026-11-21 – 2026-12-20" in shown
    assert "Global [red]" in shown
    assert json.loads(succeeded("show", "c-1", "--json"))["next_renewal"] == "2026-12-21"


def test_show_of_a_parked_bill_prints_the_reason_and_both_commands(served: Database) -> None:
    succeeded("sell", "-f", "-", stdin=sale("c-1"))
    bill_id = parked(served, "c-1")
    shown = succeeded("show", "c-1")

    assert "Billogram refused it" in shown
    assert "address.zipcode: not a zip code" in shown
    assert f"avtal retry {bill_id}" in shown
    assert f"avtal waive {bill_id} --reason" in shown


def test_bills_are_listed_as_a_table_or_as_json(served: Database) -> None:
    succeeded("sell", "-f", "-", stdin=sale("c-1"))
    bill_id = parked(served, "c-1")

    assert "parked, waits for a person" in succeeded("bills", "c-1")
    assert [item["bill_id"] for item in json.loads(succeeded("bills", "c-1", "--json"))["items"]] == [bill_id]


def test_list_follows_cursors_and_applies_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avtal.cli.api.contracts.PAGE_SIZE", "2")
    succeeded("sell", "-f", "-", stdin="\n".join(sale(f"c-{number}") for number in range(5)))

    listed = succeeded("list")

    assert [number for number in range(5) if f"c-{number}" not in listed] == []
    assert json.loads(succeeded("list", "--access", "off", "--json"))["items"] == []


def test_why_is_one_sentence() -> None:
    succeeded("sell", "-f", "-", stdin=sale("c-1"))

    assert (
        succeeded("why", "c-1")
        == "Access is on: the contract runs until further notice. A cancellation would end it.\n"
    )


def test_why_explains_in_swedish() -> None:
    succeeded("sell", "-f", "-", stdin=sale("c-1"))

    assert succeeded("why", "c-1", "--language", "sv").startswith("Åtkomsten är på: avtalet löper tills vidare.")


@pytest.mark.parametrize("command", ["show", "why", "bills", "cancel", "revoke"])
def test_an_unknown_contract_is_refused_in_one_line(command: str) -> None:
    assert refused(command, "nobody") == "no contract nobody"


def test_commands_change_nothing_while_temporal_is_unreachable(served: Database) -> None:
    succeeded("sell", "-f", "-", stdin=sale("c-1"))
    bill_id = parked(served, "c-1")

    for command in (["cancel", "c-1"], ["revoke", "c-1"], ["retry", bill_id], ["waive", bill_id, "--reason", "gift"]):
        assert "nothing was changed" in refused(*command)
