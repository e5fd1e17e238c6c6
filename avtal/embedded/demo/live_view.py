"""The demo while it runs: a live picture on a terminal, one line per month elsewhere. Draws only; `Watcher` looks."""

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
from avtal.embedded.demo.snapshot import BillGlimpse, Glimpse, Happening, Watcher, method_words
from avtal.embedded.timespan import ZONE
from avtal.store.queries.contracts import StoredContract

LOOKS_PER_SECOND = 4
FEED_LINES_MAX = 8
LINES_AROUND_FEED = 10
"""Date, table's head, legend, the empty lines between, and what was printed before."""

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


async def show(console: Console, watcher: Watcher, names: Mapping[str, str], began: datetime) -> None:
    """Until cancelled."""
    if console.is_terminal:
        await _show_live(console, watcher, names, began)
    else:
        await _show_lines(console, watcher)


async def _show_live(console: Console, watcher: Watcher, names: Mapping[str, str], began: datetime) -> None:
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            glimpse = await asyncio.to_thread(watcher.look)
            live.update(picture(glimpse, names, began, console.height), refresh=True)
            await asyncio.sleep(1 / LOOKS_PER_SECOND)


async def _show_lines(console: Console, watcher: Watcher) -> None:
    """A month's line tells how things stood when it ended."""
    before: Glimpse | None = None
    while True:
        glimpse = await asyncio.to_thread(watcher.look)
        if before is not None and _month(before) != _month(glimpse):
            console.print(f"{_month(before):<16}{_counts(before)}")
        before = glimpse
        await asyncio.sleep(1 / LOOKS_PER_SECOND)


def picture(glimpse: Glimpse, names: Mapping[str, str], began: datetime, height: int) -> RenderableType:
    room = max(0, min(FEED_LINES_MAX, height - len(glimpse.contracts) - LINES_AROUND_FEED))
    return Group(
        _head(glimpse, began),
        Text(),
        _table(glimpse, names),
        Text(),
        _legend(),
        *([Text(), *_feed(glimpse.feed[-room:], names)] if room else []),
    )


def _head(glimpse: Glimpse, began: datetime) -> Table:
    head = Table.grid(padding=(0, 2, 0, 0))
    days = (civil_day(glimpse.now, ZONE) - civil_day(began, ZONE)).days
    date = Text(f"{glimpse.now.astimezone(ZoneInfo(ZONE)):%a %d %B %Y}".ljust(22), style="bold")
    head.add_row(
        date, ProgressBar(total=ROUNDS * ROUND_DAYS, completed=days, width=40), Text(f"day {days}", style="dim")
    )
    return head


def _table(glimpse: Glimpse, names: Mapping[str, str]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    for column, width in {"Reader": 16, "Product": 18, "Every": 8, "By": 6, "Access": 6, "Bills": 13}.items():
        table.add_column(column, width=width, no_wrap=True)
    table.add_column("Next", width=6, no_wrap=True)
    table.add_column("Latest", width=21, no_wrap=True)
    for contract in glimpse.contracts:
        name = names[contract.contract_id]
        table.add_row(name, *_cells(contract, glimpse.bills[contract.contract_id], glimpse))
    return table


def _cells(contract: StoredContract, bills: Sequence[BillGlimpse], glimpse: Glimpse) -> list[RenderableType]:
    style = "green" if contract.access is Access.ON else "dim"
    happening = glimpse.latest.get(contract.contract_id)
    return [
        _product(contract),
        _interval(contract),
        _way(bills),
        Text(contract.access, style=style),
        _marks(bills),
        _next(contract, glimpse.now),
        Text(happening.text if happening else "", style="dim"),
    ]


def _product(contract: StoredContract) -> str:
    lines = contract.sale["lines"]
    assert isinstance(lines, list), "a sale has lines"
    return str(lines[0]["title"])


def _interval(contract: StoredContract) -> str:
    interval = contract.schedule.interval
    return interval.unit if interval.count == 1 else f"{interval.count} {interval.unit}s"


def _way(bills: Sequence[BillGlimpse]) -> str:
    if not bills:
        return ""
    return "draft" if bills[-1].mode == Mode.DRAFT else method_words(bills[-1].method)


def _marks(bills: Sequence[BillGlimpse]) -> Text:
    return Text.assemble(*(MARKS.get(bill.status, ("?", "red")) for bill in bills))


def _next(contract: StoredContract, now: datetime) -> str:
    """The next renewal's day; none once the contract ends before it."""
    schedule = contract.schedule
    day = boundary(schedule.anchor, schedule.interval, schedule.period_at(now).number + 1)
    return "" if contract.ending is not None and day >= contract.ending.on else f"{day:%d %b}"


def _legend() -> Text:
    words = [(mark, style, status) for status in LEGEND for mark, style in [MARKS[status]]]
    return Text("   ").join(Text.assemble((mark, style), (f" {status}", "dim")) for mark, style, status in words)


def _feed(feed: Sequence[Happening], names: Mapping[str, str]) -> list[Text]:
    return [_feed_line(one, names[one.contract_id]) for one in feed]


def _feed_line(one: Happening, name: str) -> Text:
    day = f"{one.at.astimezone(ZoneInfo(ZONE)):%d %b}"
    bill = f"bill {one.bill_no}" if one.bill_no else ""
    return Text.assemble((f"{day}  ", "dim"), f"{name:<18}{bill:<9}{one.text}")


def _month(glimpse: Glimpse) -> str:
    return f"{glimpse.now.astimezone(ZoneInfo(ZONE)):%B %Y}"


def _counts(glimpse: Glimpse) -> str:
    bills = Counter(bill.status for several in glimpse.bills.values() for bill in several)
    on = sum(contract.access is Access.ON for contract in glimpse.contracts)
    told = ", ".join(f"{bills[status]} {status}" for status in MARKS if bills[status])
    return f"access on {on} of {len(glimpse.contracts)}   bills: {told}"
