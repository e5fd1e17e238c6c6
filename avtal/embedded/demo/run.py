"""Runs the demo on a started stack: the year with its live view, then the checks and the summary."""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress

from rich.console import Console

from avtal.embedded.demo.checks import Result, contract_checks, overall_checks
from avtal.embedded.demo.clients import Invoice, Json, PublisherClient, SandboxClient
from avtal.embedded.demo.live_view import show_live
from avtal.embedded.demo.scenario import SCRIPTS
from avtal.embedded.demo.snapshot import SnapshotReader
from avtal.embedded.demo.summary import Totals, print_addresses, print_checks, print_table, print_totals
from avtal.embedded.demo.year import Year
from avtal.embedded.stack import ACCOUNT, Stack
from avtal.embedded.where_to_look import EXAMPLES

SALES = EXAMPLES / "demo_contracts.jsonl"
EXPLAINED = "demo-13"
"""The contract of the printed `avtal why`: its access is off, after a loss."""


class ScenarioMismatch(ValueError):
    """The file of sales and the scenario have different contracts."""


class DemoRun:
    def __init__(self, console: Console, stack: Stack, started_at: float) -> None:
        self._console = console
        self._stack = stack
        self._started_at = started_at
        self._sales = read_sales()
        self._publisher = PublisherClient(stack.addresses)
        self._sandbox = SandboxClient(stack.addresses)
        self._year = Year(stack, self._publisher, self._sandbox, self._sales)

    async def run(self) -> bool:
        """Whether all checks passed. Raises CallRefused, ForwardFailed."""
        try:
            await self._run_year()
            return await self._check()
        finally:
            await self._publisher.close()
            await self._sandbox.close()

    async def _run_year(self) -> None:
        names = {str(sale["contract_id"]): str(sale["subscriber"]["name"]) for sale in self._sales}
        reader = SnapshotReader(self._stack.database, self._stack.clock, ACCOUNT)
        view = asyncio.create_task(show_live(self._console, reader, names, self._stack.clock.now()))
        try:
            await self._year.run()
        finally:
            view.cancel()
            with suppress(asyncio.CancelledError):
                await view

    async def _check(self) -> bool:
        invoices, callbacks = await self._sandbox.invoices(), await self._sandbox.callback_outcomes()
        results = [await self._result(sale, invoices) for sale in self._sales]
        checks = {result.contract.contract_id: contract_checks(result) for result in results}
        checks["all contracts"] = overall_checks(results, invoices, callbacks)
        print_table(self._console, results, checks)
        print_totals(self._console, await self._totals(results, len(callbacks)))
        print_checks(self._console, checks)
        invoice_url = next((bill.invoice_url for result in results for bill in result.bills if bill.invoice_url), None)
        print_addresses(self._console, self._stack, EXPLAINED, invoice_url or "none")
        return all(check.is_ok for several in checks.values() for check in several)

    async def _result(self, sale: Json, invoices: Sequence[Invoice]) -> Result:
        contract_id = str(sale["contract_id"])
        return Result(
            sale=sale,
            script=SCRIPTS[contract_id],
            contract=await self._publisher.contract(contract_id),
            bills=await self._publisher.bills(contract_id),
            invoices=[invoice for invoice in invoices if invoice.bill_id.startswith(f"{contract_id}:")],
            observed=self._year.observed[contract_id],
        )

    async def _totals(self, results: Sequence[Result], callbacks: int) -> Totals:
        return Totals(
            bills=sum(len(result.bills) for result in results),
            requests=await self._sandbox.requests(),
            staff_requests=self._sandbox.staff_requests,
            callbacks=callbacks,
            first_day=self._year.first_day,
            last_day=self._year.today,
            seconds=time.monotonic() - self._started_at,
        )


def read_sales() -> Sequence[Json]:
    """Raises ScenarioMismatch."""
    sales = [json.loads(line) for line in SALES.read_text(encoding="utf-8").splitlines()]
    different = SCRIPTS.keys() ^ {sale["contract_id"] for sale in sales}
    if different:
        raise ScenarioMismatch(f"{SALES} and the demo's scenario differ in {', '.join(sorted(different))}")
    return sales
