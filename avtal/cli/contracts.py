"""Contracts: show, list, why, cancel, revoke."""

import json
import re
from collections.abc import Iterator
from typing import Annotated

import typer

from avtal.api.responses.models import AccessResponse, ContractResponse, Page
from avtal.cli.api_client import Web, read, web
from avtal.cli.failure import fail
from avtal.cli.output import contract_view, contracts_table, show, show_json
from avtal.contracts.access.access import Access
from avtal.contracts.access.explanation import Language
from avtal.contracts.lifecycle.state import ContractStatus

PAGE = "200"
IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,80}")
CIVIL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def known_form(identity: str) -> str:
    """Only what can be an id becomes part of an address."""
    return identity if IDENTIFIER.fullmatch(identity) else fail(f"no id looks like {identity!r}")


Contract = Annotated[str, typer.Argument(metavar="CONTRACT", callback=known_form, help="The contract's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print nothing but JSON.")]


def show_contract(contract: Contract, as_json: AsJson = False) -> None:
    """What a contract is now: access, period, open bills, and what has stopped."""
    with web() as api:
        answer = api.get(f"/contracts/{contract}")
    if as_json:
        show_json(json.loads(answer))
    else:
        show(contract_view(read(ContractResponse, answer)))


def list_contracts(
    status: Annotated[ContractStatus | None, typer.Option(help="Only with this status.")] = None,
    access: Annotated[Access | None, typer.Option(help="Only with access on, or off.")] = None,
    as_json: AsJson = False,
) -> None:
    """All contracts, in the order of their ids."""
    query = {name: value.value for name, value in {"status": status, "access": access}.items() if value}
    with web() as api:
        pages = list(every_page(api, "/contracts", **query))
    if as_json:
        show_json({"items": [item for page in pages for item in json.loads(page)["items"]], "next_cursor": None})
    else:
        show(contracts_table(item for page in pages for item in read(Page[ContractResponse], page).items))


def why(
    contract: Contract, language: Annotated[Language, typer.Option(help="English or Swedish.")] = Language.ENGLISH
) -> None:
    """One sentence: why access is on or off, and what would change it."""
    with web() as api:
        api.speak(language)
        answer = api.get(f"/contracts/{contract}/access")
    typer.echo(read(AccessResponse, answer).explanation)


def cancel(
    contract: Contract,
    at: Annotated[str, typer.Option(metavar="period-end|now|DATE", help="A date is the first day without access.")] = (
        "period-end"
    ),
) -> None:
    """End a contract at the end of its period, now, or at a day."""
    if at not in ("period-end", "now") and not CIVIL_DATE.fullmatch(at):
        raise typer.BadParameter("give period-end, now, or a date like 2027-03-31", param_hint="--at")
    with web() as api:
        answer = api.post(f"/contracts/{contract}/cancel", {"at": at.replace("period-end", "period_end")})
    show(contract_view(read(ContractResponse, answer)))


def revoke(contract: Contract) -> None:
    """Take a cancellation back, as long as the contract has not ended."""
    with web() as api:
        answer = api.post(f"/contracts/{contract}/revoke-cancellation")
    show(contract_view(read(ContractResponse, answer)))


def every_page(api: Web, path: str, **query: str) -> Iterator[bytes]:
    cursor: str | None = ""
    while cursor is not None:
        answer = api.get(path, limit=PAGE, **query, **({"cursor": cursor} if cursor else {}))
        yield answer
        cursor = read(Page[object], answer).next_cursor
