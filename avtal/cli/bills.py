"""Bills: list those of a contract, make a stopped one again, give a parked one up."""

import json
from typing import Annotated

import typer

from avtal.api.responses.models import BillResponse, Page
from avtal.cli.api_client import read, web
from avtal.cli.contracts import AsJson, Contract, every_page, known_form
from avtal.cli.output import bill_view, bills_table, show, show_json

Bill = Annotated[str, typer.Argument(metavar="BILL", callback=known_form, help="The bill's id, like c-1001:0:r0.")]


def list_bills(contract: Contract, as_json: AsJson = False) -> None:
    """The contract's bills, oldest first."""
    with web() as api:
        pages = list(every_page(api, f"/contracts/{contract}/bills"))
    if as_json:
        show_json({"items": [item for page in pages for item in json.loads(page)["items"]], "next_cursor": None})
    else:
        show(bills_table(item for page in pages for item in read(Page[BillResponse], page).items))


def retry(bill: Bill) -> None:
    """Make a stopped bill again, after the cause is mended; it may become the next revision."""
    with web() as api:
        answer = api.post(f"/bills/{bill}/retry")
    show(bill_view(read(BillResponse, answer)))


def waive(bill: Bill, reason: Annotated[str, typer.Option(help="Kept in the bill's history.")]) -> None:
    """Give a parked bill up: its period is free."""
    with web() as api:
        answer = api.post(f"/bills/{bill}/waive", {"reason": reason})
    show(bill_view(read(BillResponse, answer)))
