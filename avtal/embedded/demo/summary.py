"""The demo's last pages: the table of what happened, the sums of it all, what did not agree, and where to look."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from avtal.contracts.access.access import Access
from avtal.embedded.addresses import Addresses
from avtal.embedded.demo.checks import Comparison, Played, paid
from avtal.embedded.demo.snapshot import method_words


class Totals(NamedTuple):
    bills: int
    requests: int
    staff_requests: int
    callbacks: int
    first_day: date
    last_day: date
    seconds: float


def print_table(console: Console, played: Sequence[Played], compared: Mapping[str, Sequence[Comparison]]) -> None:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    for column in ("Reader", "What was to happen", "What happened"):
        table.add_column(column, no_wrap=True)
    table.add_column("By", no_wrap=True)
    table.add_column("Paid, kr", justify="right", no_wrap=True)
    table.add_column("Access", no_wrap=True)
    table.add_column("", no_wrap=True)
    for one in played:
        table.add_row(*_cells(one), _mark(all(each.agrees for each in compared[one.contract.contract_id])))
    console.print(table)
    console.print()


def print_verdict(console: Console, compared: Mapping[str, Sequence[Comparison]]) -> None:
    wrong = [(name, one) for name, several in compared.items() for one in several if not one.agrees]
    count = sum(len(several) for several in compared.values())
    for name, one in wrong:
        console.print(f"✗ {name}: {one.what}", style="red", markup=False)
        console.print(f"    expected {one.expected}", markup=False)
        console.print(f"    found    {one.found}", markup=False)
    console.print(
        f"{count} comparisons of the story with Avtal and Billogram: "
        + (f"[bold red]{len(wrong)} differ[/bold red]." if wrong else "[green]all agree[/green].")
    )


def print_totals(console: Console, totals: Totals) -> None:
    days = (totals.last_day - totals.first_day).days
    console.print(
        f"{totals.bills} invoices made, {totals.callbacks} callbacks received, {totals.requests} requests to "
        f"Billogram ({totals.staff_requests} of them by staff).\n"
        f"{days} days, {totals.first_day} to {totals.last_day}, in {totals.seconds:.0f} seconds.",
    )


def where_to_look(addresses: Addresses, data_dir: Path, contract_id: str, invoice_url: str) -> Panel:
    workflows = f"{addresses.temporal_ui}/namespaces/{addresses.temporal_namespace}/workflows"
    rows = {
        "Portal": f"{addresses.web}/portal/",
        " user, password": f"{addresses.operator_user}, {addresses.operator_password}",
        "API": f"{addresses.web}/docs",
        "API key": addresses.api_key,
        "Temporal UI": workflows if addresses.temporal_ui else "off",
        "An invoice": invoice_url,
        "Data and logs": escape(str(data_dir)),
    }
    lines = [f"[bold]{name:<16}[/bold]{value}" for name, value in rows.items()]
    lines += [
        "",
        f"While it runs: .venv/bin/avtal list · why {contract_id} · forward 30d",
        "Afterwards, on the same data: make up",
    ]
    return Panel("\n".join(lines), title="Where to look", border_style="green", expand=False)


def _cells(one: Played) -> tuple[str, str, str, str, str, Text]:
    counts = Counter(bill.status for bill in one.bills)
    happened = ", ".join(f"{count} {status}" for status, count in counts.items())
    methods = ", ".join(sorted({method_words(bill.delivery_method) for bill in one.bills}))
    access = one.contract.access
    is_on = access.access is Access.ON
    words = Text("on" if is_on else f"off: {access.reason}", style="green" if is_on else "dim")
    return one.sale["subscriber"]["name"], one.part.plot, happened, methods, f"{paid(one.bills):.0f}", words


def _mark(is_good: bool) -> Text:
    return Text("✓", style="green") if is_good else Text("✗", style="bold red")
