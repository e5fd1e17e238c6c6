"""Prints the end of the demo: the table of contracts, totals, failed checks, addresses."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from avtal.contracts.access.access import Access
from avtal.embedded.demo.checks import Check, Result, paid_total
from avtal.embedded.demo.snapshot import method_text
from avtal.embedded.stack import Stack
from avtal.embedded.where_to_look import command_prefix, where_to_look

COLUMNS = SUBSCRIBER, SCENARIO, BILLS, DELIVERY, PAID, ACCESS = (
    "Subscriber", "Scenario", "Bills", "By", "Paid, kr", "Access",
)  # fmt: skip
WIDE, WIDE_COLUMNS = 98, {DELIVERY, PAID}


class Totals(NamedTuple):
    bills: int
    requests: int
    staff_requests: int
    callbacks: int
    first_day: date
    last_day: date
    seconds: float


def print_table(console: Console, results: Sequence[Result], checks: Mapping[str, Sequence[Check]]) -> None:
    """Without delivery and payments on a narrow terminal."""
    columns = [column for column in COLUMNS if console.width >= WIDE or column not in WIDE_COLUMNS]
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column == PAID else "left", no_wrap=True)
    table.add_column("", no_wrap=True)
    for result in results:
        cells = _cells(result)
        mark = _mark(all(check.is_ok for check in checks[result.contract.contract_id]))
        table.add_row(*(cells[column] for column in columns), mark)
    console.print(table)
    console.print()


def print_totals(console: Console, totals: Totals) -> None:
    days = (totals.last_day - totals.first_day).days
    console.print(
        f"{totals.bills} invoices made, {totals.callbacks} callbacks received, {totals.requests} requests to "
        f"Billogram ({totals.staff_requests} of them by staff).\n"
        f"{days} days, {totals.first_day} to {totals.last_day}, in {totals.seconds:.0f} seconds.",
    )


def print_checks(console: Console, checks: Mapping[str, Sequence[Check]]) -> None:
    failed = [(name, check) for name, several in checks.items() for check in several if not check.is_ok]
    for name, check in failed:
        console.print(f"✗ {name}: {check.name}", style="red", markup=False)
        console.print(f"    expected {check.expected}", markup=False)
        console.print(f"    found    {check.found}", markup=False)
    console.print(
        f"{sum(map(len, checks.values()))} checks of the expected outcomes, in Avtal and at Billogram: "
        + (f"[bold red]{len(failed)} failed[/bold red]." if failed else "[green]all passed[/green].")
    )


def print_addresses(console: Console, stack: Stack, contract_id: str, invoice_url: str) -> None:
    avtal = command_prefix(stack.data_dir)
    closing = [
        "While it runs:",
        *(f"  {avtal} {command}" for command in ("list", f"why {contract_id}", "forward 30d")),
        f"Afterwards, on the same data: {avtal} up",
    ]
    more = {"An invoice": invoice_url}
    console.print(where_to_look("Where to look", stack.addresses, stack.data_dir, more, closing), soft_wrap=True)


def _cells(result: Result) -> Mapping[str, str | Text]:
    counts = Counter(bill.status for bill in result.bills)
    access = result.contract.access
    is_on = access.access is Access.ON
    return {
        SUBSCRIBER: str(result.sale["subscriber"]["name"]),
        SCENARIO: result.script.summary,
        BILLS: ", ".join(f"{count} {status}" for status, count in counts.items()),
        DELIVERY: ", ".join(sorted({method_text(bill.delivery_method) for bill in result.bills})),
        PAID: f"{paid_total(result.bills):.0f}",
        ACCESS: Text("on" if is_on else f"off: {access.reason}", style="green" if is_on else "dim"),
    }


def _mark(is_ok: bool) -> Text:
    return Text("✓", style="green") if is_ok else Text("✗", style="bold red")
