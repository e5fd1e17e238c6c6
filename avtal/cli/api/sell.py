"""`avtal sell`: one sale from a .json file, many from a .jsonl file. A refused sale does not stop the others."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import httpx
import typer
from rich.console import Console
from rich.progress import track

from avtal.api.responses.bodies import ContractResponse
from avtal.cli.api.client import ApiClient, api_client, parse, refusal
from avtal.cli.settings import DataDir
from avtal.cli.terminal import complain, fail


class Row(NamedTuple):
    line: int | None
    """None if the sale is the whole file."""
    sale: str


def sell(
    file: Annotated[str, typer.Option("-f", "--file", metavar="FILE", help=".json, .jsonl, or - for stdin.")],
    _data: DataDir = None,
) -> None:
    """Start contracts. A repeated sale changes nothing."""
    rows = sales_in(file, _text(file))
    if not rows:
        fail(f"there is no sale in {file}")
    with api_client() as api:
        is_long = len(rows) > 1 and sys.stdout.isatty()
        outcomes = Counter(_sell(api, row) for row in track(rows, "selling", disable=not is_long, console=Console()))
    if len(rows) > 1:
        typer.echo(", ".join(f"{outcome} {outcomes[outcome]}" for outcome in ("sold", "sold before", "refused")))
    if outcomes["refused"]:
        raise typer.Exit(1)


def sales_in(file: str, text: str) -> Sequence[Row]:
    lines = [Row(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if file.endswith(".jsonl") or (not file.endswith(".json") and len(lines) > 1 and not _is_json(text)):
        return lines
    return [Row(None, text)] if lines else []


def _sell(api: ApiClient, row: Row) -> str:
    response = api.request("POST", "/contracts", row.sale)
    reason = refusal(response)
    if reason is not None:
        complain(reason if row.line is None else f"line {row.line}: {reason}")
        return "refused"
    is_new = response.status_code == httpx.codes.CREATED
    if row.line is None:
        contract = parse(ContractResponse, response.content)
        outcome = "is sold" if is_new else "was sold before on these terms; nothing has changed"
        typer.echo(f"{contract.contract_id} {outcome}. {contract.access.explanation}")
    return "sold" if is_new else "sold before"


def _text(file: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        fail(f"{file} can't be read: {error.strerror}")
    except UnicodeDecodeError:
        fail(f"{file} can't be read: it is not UTF-8")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
