"""`avtal reconcile`: compares the bills of an account with Billogram, records what callbacks missed, prints it."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from avtal.billogram.errors import BillogramError
from avtal.billogram.transport import http_client
from avtal.cli.opened_store import cipher, clock_of, opened_store
from avtal.cli.settings import DataDir
from avtal.cli.terminal import BAD, GOOD, MUTED, complain, fail, plain, show, show_json
from avtal.reconciliation.findings import FIXED, TEXTS, Finding, Report
from avtal.reconciliation.sweep import Reconciler
from avtal.store.accounts.accounts import AccountNotFound
from avtal.store.billing.reconciliation import accounts
from avtal.store.engine.database import Database

BILLS_SHOWN_MAX = 20

app = typer.Typer()


@app.command()
def reconcile(
    account: Annotated[
        str | None, typer.Argument(metavar="[ACCOUNT]", help="All accounts unless given.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON.")] = False,
    _data: DataDir = None,
) -> None:
    """Compare the bills with Billogram and record what callbacks missed."""
    with opened_store() as database:
        try:
            reports, unread = asyncio.run(_sweep(database, account))
        except AccountNotFound as error:
            fail(f"there is no account {error}")
    if as_json:
        show_json([report.model_dump(mode="json") for report in reports])
    else:
        _print(reports)
    for line in unread:
        complain(line)
    if unread:
        raise typer.Exit(1)


async def _sweep(database: Database, account: str | None) -> tuple[list[Report], list[str]]:
    """The reports, and one line for each account whose invoices could not be read."""
    with database.read() as session:
        names = [account] if account else accounts(session)
    reports, unread = [], []
    async with http_client() as http:
        reconciler = Reconciler(database, cipher(), http, clock_of(database), lambda: None)
        for name in names:
            try:
                reports.append(await reconciler.sweep(name))
            except BillogramError as error:
                unread.append(f"{name}: Billogram could not be read: {error}")
    return reports, unread


def _print(reports: Sequence[Report]) -> None:
    for report in reports:
        if report.findings:
            show(_table(report))
        callbacks = report.callbacks
        show(
            plain(
                f"{report.account}: {len(report.findings)} found; {report.pages} pages listed, {report.read} invoices "
                f"read; callbacks without a bill: {callbacks.unmatched}, still failing: {callbacks.failing}"
            )
        )


def _table(report: Report) -> Table:
    table = Table("Found", "Count", "Meaning", "Bills", header_style="bold", border_style=MUTED)
    kinds = dict.fromkeys(finding.kind for finding in report.findings)
    for kind in kinds:
        found = [finding for finding in report.findings if finding.kind is kind]
        style = GOOD if kind in FIXED else BAD
        table.add_row(plain(kind, style), plain(len(found)), plain(TEXTS[kind]), plain(_names(found)))
    return table


def _names(found: Sequence[Finding]) -> str:
    names = [finding.bill_id or finding.billogram_id for finding in found]
    more = len(names) - BILLS_SHOWN_MAX
    return " ".join(names[:BILLS_SHOWN_MAX]) + (f" and {more} more (--json lists all)" if more > 0 else "")
