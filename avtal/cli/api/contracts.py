"""Contracts: show, list, why, cancel, revoke."""

import json
import re
from collections.abc import Iterator
from typing import Annotated

import typer

from avtal.api.responses.bodies import AccessResponse, ContractResponse, Page
from avtal.cli.api.client import ApiClient, api_client, parse
from avtal.cli.api.views import contract_view, contracts_table
from avtal.cli.settings import DataDir
from avtal.cli.terminal import fail, show, show_json
from avtal.contracts.access.access import Access
from avtal.contracts.access.explanation import Language
from avtal.contracts.lifecycle.state import ContractStatus

PAGE_SIZE = "200"
IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,80}")
CIVIL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def valid_id(identity: str) -> str:
    """It becomes part of a URL."""
    return identity if IDENTIFIER.fullmatch(identity) else fail(f"{identity!r} is not a valid id")


Contract = Annotated[str, typer.Argument(metavar="CONTRACT", callback=valid_id, help="The contract's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON.")]


def show_contract(contract: Contract, as_json: AsJson = False, _data: DataDir = None) -> None:
    """A contract's access, period, open bills, and parked bills."""
    with api_client() as api:
        content = api.get(f"/contracts/{contract}")
    if as_json:
        show_json(json.loads(content))
    else:
        show(contract_view(parse(ContractResponse, content)))


def list_contracts(
    status: Annotated[ContractStatus | None, typer.Option(help="Only contracts with this status.")] = None,
    access: Annotated[Access | None, typer.Option(help="Only contracts with access on, or off.")] = None,
    as_json: AsJson = False,
    _data: DataDir = None,
) -> None:
    """All contracts, ordered by id."""
    query = {name: value.value for name, value in {"status": status, "access": access}.items() if value}
    with api_client() as api:
        pages = list(all_pages(api, "/contracts", **query))
    if as_json:
        show_json(merged(pages))
    else:
        show(contracts_table(item for page in pages for item in parse(Page[ContractResponse], page).items))


def why(
    contract: Contract,
    language: Annotated[Language, typer.Option(help="English or Swedish.")] = Language.ENGLISH,
    _data: DataDir = None,
) -> None:
    """One sentence: why access is on or off, and what would change it."""
    with api_client() as api:
        api.set_language(language)
        content = api.get(f"/contracts/{contract}/access")
    typer.echo(parse(AccessResponse, content).explanation)


def cancel(
    contract: Contract,
    at: Annotated[str, typer.Option(metavar="period-end|now|DATE", help="A date is the first day without access.")] = (
        "period-end"
    ),
    _data: DataDir = None,
) -> None:
    """End a contract at the end of its period, now, or on a date."""
    if at not in ("period-end", "now") and not CIVIL_DATE.fullmatch(at):
        raise typer.BadParameter("give period-end, now, or a date like 2027-03-31", param_hint="--at")
    with api_client() as api:
        content = api.post(f"/contracts/{contract}/cancel", {"at": at.replace("period-end", "period_end")})
    show(contract_view(parse(ContractResponse, content)))


def revoke(contract: Contract, _data: DataDir = None) -> None:
    """Revoke a cancellation before the contract has ended."""
    with api_client() as api:
        content = api.post(f"/contracts/{contract}/revoke-cancellation")
    show(contract_view(parse(ContractResponse, content)))


def all_pages(api: ApiClient, path: str, **query: str) -> Iterator[bytes]:
    cursor: str | None = ""
    while cursor is not None:
        content = api.get(path, limit=PAGE_SIZE, **query, **({"cursor": cursor} if cursor else {}))
        yield content
        cursor = parse(Page[object], content).next_cursor


def merged(pages: list[bytes]) -> dict[str, object]:
    """Several pages as one."""
    return {"items": [item for page in pages for item in json.loads(page)["items"]], "next_cursor": None}
