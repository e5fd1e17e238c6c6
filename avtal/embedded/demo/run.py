"""One showing of the demo on a started stack: the year with its live view, then the checks and the closing words."""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from avtal.embedded.demo.checks import Played, comparisons, overall
from avtal.embedded.demo.clients import Invoice, Json, Platform, Publisher
from avtal.embedded.demo.live_view import show
from avtal.embedded.demo.scenario import PARTS
from avtal.embedded.demo.snapshot import Watcher
from avtal.embedded.demo.summary import Totals, print_table, print_totals, print_verdict, where_to_look
from avtal.embedded.demo.year import Year
from avtal.embedded.stack import ACCOUNT, Stack

SALES = Path(__file__).parent.parent / "examples" / "demo_contracts.jsonl"
POINTED_TO = "demo-13"
"""The contract that the closing words point to: its access has an explanation worth reading."""


class NotTheStory(ValueError):
    """The file of sales and the story are about different contracts."""


class Showing:
    def __init__(self, console: Console, stack: Stack, began: float) -> None:
        self._console = console
        self._stack = stack
        self._began = began
        self._sales = read_sales()
        self._publisher = Publisher(stack.addresses)
        self._platform = Platform(stack.addresses)
        self._year = Year(stack.clock, self._publisher, self._platform, self._sales)

    async def run(self) -> bool:
        """Whether everything came as it should. Raises CallRefused, ClockStopped."""
        try:
            await self._play()
            return await self._close()
        finally:
            await self._publisher.close()
            await self._platform.close()

    async def _play(self) -> None:
        names = {str(sale["contract_id"]): str(sale["subscriber"]["name"]) for sale in self._sales}
        watcher = Watcher(self._stack.database, self._stack.clock, ACCOUNT)
        showing = asyncio.create_task(show(self._console, watcher, names, self._stack.clock.now()))
        try:
            await self._year.play()
        finally:
            showing.cancel()
            with suppress(asyncio.CancelledError):
                await showing

    async def _close(self) -> bool:
        invoices, callbacks = await self._platform.invoices(), await self._platform.callback_outcomes()
        played = [await self._played(sale, invoices) for sale in self._sales]
        compared = {one.contract.contract_id: comparisons(one) for one in played}
        compared["all together"] = overall(played, invoices, callbacks)
        print_table(self._console, played, compared)
        print_totals(self._console, await self._totals(played, len(callbacks)))
        print_verdict(self._console, compared)
        page = next((bill.invoice_url for one in played for bill in one.bills if bill.invoice_url), "none")
        self._console.print(where_to_look(self._stack.addresses, self._stack.data_dir, POINTED_TO, page))
        return all(one.agrees for several in compared.values() for one in several)

    async def _played(self, sale: Json, invoices: Sequence[Invoice]) -> Played:
        name = str(sale["contract_id"])
        return Played(
            sale=sale,
            part=PARTS[name],
            contract=await self._publisher.contract(name),
            bills=await self._publisher.bills(name),
            invoices=[one for one in invoices if one.bill_id.startswith(f"{name}:")],
            seen=self._year.seen[name],
        )

    async def _totals(self, played: Sequence[Played], callbacks: int) -> Totals:
        return Totals(
            bills=sum(len(one.bills) for one in played),
            requests=await self._platform.requests(),
            staff_requests=self._platform.staff_requests,
            callbacks=callbacks,
            first_day=self._year.first_day,
            last_day=self._year.today,
            seconds=time.monotonic() - self._began,
        )


def read_sales() -> Sequence[Json]:
    """Raises NotTheStory."""
    sales = [json.loads(line) for line in SALES.read_text(encoding="utf-8").splitlines()]
    odd = PARTS.keys() ^ {sale["contract_id"] for sale in sales}
    if odd:
        raise NotTheStory(
            f"{SALES} and embedded/demo_story.py must have the same contracts, and differ in {sorted(odd)}"
        )
    return sales
