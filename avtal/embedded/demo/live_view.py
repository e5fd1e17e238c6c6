"""Renders the demo while it runs: a live table on a terminal, one line per month elsewhere."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from avtal.contracts.access.access import Access
from avtal.contracts.bills.bill import BillStatus
from avtal.contracts.periods import boundary, civil_day
from avtal.contracts.policy import Mode
from avtal.embedded.demo.scenario import ROUND_DAYS, ROUNDS
from avtal.embedded.demo.snapshot import DemoBill, DemoSnapshot, FeedEntry, SnapshotReader, method_text
from avtal.embedded.durations import ZONE
from avtal.store.queries.contracts import StoredContract

REFRESHES_PER_SECOND = 4
FEED_LINES_MAX = 8
LINES_AROUND_FEED = 10
"""Date, table header, legend, empty lines, and what was printed before."""
COLUMNS = {"Subscriber": 16, "Product": 18, "Every": 8, "By": 6, "Access": 6, "Bills": 13}
MORE_COLUMNS = {"Next": 6, "Latest": 21}

MARKS = {
    BillStatus.PAID: ("●", "green"),
    BillStatus.OPEN: ("○", "yellow"),
    BillStatus.DRAFT: ("◌", "yellow"),
    BillStatus.CREDITED: ("◆", "cyan"),
    BillStatus.PARKED: ("!", "bold red"),
    BillStatus.CREATING: ("·", "dim"),
    BillStatus.EXPIRED: ("✗", "red"),
}
LEGEND = (
    BillStatus.PAID,
    BillStatus.OPEN,
    BillStatus.DRAFT,
    BillStatus.CREDITED,
    BillStatus.PARKED,
    BillStatus.EXPIRED,
)


async def show_live(console: Console, reader: SnapshotReader, names: Mapping[str, str], started_at: datetime) -> None:
    """Until cancelled."""
    if console.is_terminal:
        await _show_table(console, reader, names, started_at)
    else:
        await _show_months(console, reader)


async def _show_table(console: Console, reader: SnapshotReader, names: Mapping[str, str], started_at: datetime) -> None:
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            snapshot = await asyncio.to_thread(reader.read)
            live.update(render(snapshot, names, started_at, console.size.width, console.height), refresh=True)
            await asyncio.sleep(1 / REFRESHES_PER_SECOND)


async def _show_months(console: Console, reader: SnapshotReader) -> None:
    """Prints each month's last snapshot."""
    before: DemoSnapshot | None = None
    while True:
        snapshot = await asyncio.to_thread(reader.read)
        if before is not None and _month(before) != _month(snapshot):
            console.print(f"{_month(before):<16}{_counts(before)}")
        before = snapshot
        await asyncio.sleep(1 / REFRESHES_PER_SECOND)


def render(
    snapshot: DemoSnapshot, names: Mapping[str, str], started_at: datetime, width: int, height: int
) -> RenderableType:
    feed_lines = max(0, min(FEED_LINES_MAX, height - len(snapshot.contracts) - LINES_AROUND_FEED))
    return Group(
        _header(snapshot, started_at),
        Text(),
        _table(snapshot, names, width),
        Text(),
        _legend(),
        *([Text(), *_feed(snapshot.feed[-feed_lines:], names)] if feed_lines else []),
    )


def _header(snapshot: DemoSnapshot, started_at: datetime) -> Table:
    header = Table.grid(padding=(0, 2, 0, 0))
    days = (civil_day(snapshot.now, ZONE) - civil_day(started_at, ZONE)).days
    date = Text(f"{snapshot.now.astimezone(ZoneInfo(ZONE)):%a %d %B %Y}".ljust(22), style="bold")
    header.add_row(
        date, ProgressBar(total=ROUNDS * ROUND_DAYS, completed=days, width=40), Text(f"day {days}", style="dim")
    )
    return header


def _table(snapshot: DemoSnapshot, names: Mapping[str, str], width: int) -> Table:
    """Without the last columns on a narrow terminal."""
    columns = COLUMNS | MORE_COLUMNS
    if sum(columns.values()) + len(columns) > width:
        columns = COLUMNS
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    for column, column_width in columns.items():
        table.add_column(column, width=column_width, no_wrap=True)
    for contract in snapshot.contracts:
        cells = _cells(contract, snapshot.bills[contract.contract_id], snapshot)
        table.add_row(*[names[contract.contract_id], *cells][: len(columns)])
    return table


def _cells(contract: StoredContract, bills: Sequence[DemoBill], snapshot: DemoSnapshot) -> list[RenderableType]:
    style = "green" if contract.access is Access.ON else "dim"
    latest = snapshot.latest.get(contract.contract_id)
    return [
        _product(contract),
        _interval(contract),
        _delivery(bills),
        Text(contract.access, style=style),
        _marks(bills),
        _next_renewal(contract, snapshot.now),
        Text(latest.text if latest else "", style="dim"),
    ]


def _product(contract: StoredContract) -> str:
    lines = contract.current_terms["lines"]
    assert isinstance(lines, list), "a sale has lines"
    return str(lines[0]["title"])


def _interval(contract: StoredContract) -> str:
    interval = contract.schedule.interval
    return interval.unit if interval.count == 1 else f"{interval.count} {interval.unit}s"


def _delivery(bills: Sequence[DemoBill]) -> str:
    if not bills:
        return ""
    return "draft" if bills[-1].mode == Mode.DRAFT else method_text(bills[-1].method)


def _marks(bills: Sequence[DemoBill]) -> Text:
    return Text.assemble(*(MARKS.get(bill.status, ("?", "red")) for bill in bills))


def _next_renewal(contract: StoredContract, now: datetime) -> str:
    """Empty if the contract ends before it."""
    schedule = contract.schedule
    day = boundary(schedule.anchor, schedule.interval, schedule.period_at(now).number + 1)
    return "" if contract.ending is not None and day >= contract.ending.on else f"{day:%d %b}"


def _legend() -> Text:
    entries = [(mark, style, status) for status in LEGEND for mark, style in [MARKS[status]]]
    return Text("   ").join(Text.assemble((mark, style), (f" {status}", "dim")) for mark, style, status in entries)


def _feed(feed: Sequence[FeedEntry], names: Mapping[str, str]) -> list[Text]:
    return [_feed_line(entry, names[entry.contract_id]) for entry in feed]


def _feed_line(entry: FeedEntry, name: str) -> Text:
    day = f"{entry.at.astimezone(ZoneInfo(ZONE)):%d %b}"
    bill = f"bill {entry.bill_no}" if entry.bill_no else ""
    return Text.assemble((f"{day}  ", "dim"), f"{name:<18}{bill:<9}{entry.text}")


def _month(snapshot: DemoSnapshot) -> str:
    return f"{snapshot.now.astimezone(ZoneInfo(ZONE)):%B %Y}"


def _counts(snapshot: DemoSnapshot) -> str:
    bills = Counter(bill.status for several in snapshot.bills.values() for bill in several)
    on = sum(contract.access is Access.ON for contract in snapshot.contracts)
    counts = ", ".join(f"{bills[status]} {status}" for status in MARKS if bills[status])
    return f"access on {on} of {len(snapshot.contracts)}   bills: {counts}"
