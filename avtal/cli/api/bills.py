"""Bills: list, retry, waive."""

from typing import Annotated

import typer

from avtal.api.responses.bodies import BillResponse, Page
from avtal.cli.api.client import api_client, parse
from avtal.cli.api.contracts import AsJson, Contract, all_pages, merged, valid_id
from avtal.cli.api.views import bill_view, bills_table
from avtal.cli.settings import DataDir
from avtal.cli.terminal import show, show_json

Bill = Annotated[str, typer.Argument(metavar="BILL", callback=valid_id, help="The bill's id, like c-1001:0:r0.")]


def list_bills(contract: Contract, as_json: AsJson = False, _data: DataDir = None) -> None:
    """The contract's bills, oldest first."""
    with api_client() as api:
        pages = list(all_pages(api, f"/contracts/{contract}/bills"))
    if as_json:
        show_json(merged(pages))
    else:
        show(bills_table(item for page in pages for item in parse(Page[BillResponse], page).items))


def retry(bill: Bill, _data: DataDir = None) -> None:
    """Make a parked bill again after the cause is fixed; it can become the next revision."""
    with api_client() as api:
        content = api.post(f"/bills/{bill}/retry")
    show(bill_view(parse(BillResponse, content)))


def waive(
    bill: Bill,
    reason: Annotated[str, typer.Option(help="Stored in the bill's history.")],
    _data: DataDir = None,
) -> None:
    """Waive a parked bill: its period is free."""
    with api_client() as api:
        content = api.post(f"/bills/{bill}/waive", {"reason": reason})
    show(bill_view(parse(BillResponse, content)))
