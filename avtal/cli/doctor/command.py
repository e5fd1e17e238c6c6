"""`avtal doctor`: every check of an installation, side by side and within a time limit, in one line each."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

import typer

from avtal.cli.doctor import http_checks as doctor_http
from avtal.cli.doctor import store_checks as doctor_store
from avtal.cli.doctor import temporal_checks as doctor_temporal
from avtal.cli.doctor.installation import Installation, Unknown, Wrong, installation
from avtal.cli.doctor.store_checks import Account
from avtal.cli.failure import fail
from avtal.cli.output import show_json
from avtal.contracts.frozen import Frozen
from avtal.temporal_admin.namespace import task_queues

CHECK_WITHIN_SECONDS = 10.0

commands = typer.Typer()


class State(StrEnum):
    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "unknown"


COLOURS = {State.OK: typer.colors.GREEN, State.WRONG: typer.colors.RED, State.UNKNOWN: typer.colors.YELLOW}


class Finding(Frozen):
    check: str
    state: State
    words: str
    advice: str | None = None


@commands.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print nothing but JSON.")] = False) -> None:
    """Check a whole installation, and say what to do."""
    try:
        findings = asyncio.run(_examine())
    except (RuntimeError, ValueError) as error:
        fail(f"the settings of Temporal can't be used: {error}")
    is_well = all(finding.state is not State.WRONG for finding in findings)
    if as_json:
        show_json({"ok": is_well, "checks": [finding.model_dump(mode="json") for finding in findings]})
    else:
        _print(findings)
    if not is_well:
        raise typer.Exit(1)


async def _examine() -> Sequence[Finding]:
    async with installation() as place:
        try:
            accounts = await asyncio.wait_for(doctor_store.accounts_of(place), CHECK_WITHIN_SECONDS)
        except (Unknown, TimeoutError):
            accounts = []
        asked = [*_of_parts(place), *_of_accounts(place, accounts), *_of_clocks(place, accounts)]
        return await asyncio.gather(*(_finding(name, check) for name, check in asked))


Named = Iterator[tuple[str, Awaitable[str]]]


def _of_parts(place: Installation) -> Named:
    yield "secret key", doctor_store.check_secret_key(place)
    yield "secrets", doctor_store.check_secrets(place)
    yield "database", doctor_store.check_database(place)
    yield "schema", doctor_store.check_schema(place)
    yield "temporal", doctor_temporal.check_temporal(place)
    yield "namespace", doctor_temporal.check_namespace(place)
    yield "search attributes", doctor_temporal.check_search_attributes(place)
    for queue in task_queues(place.settings.task_queue):
        yield f"worker {queue}", doctor_temporal.check_worker(place, queue)
    yield "worker version", doctor_temporal.check_worker_version(place)
    yield "web", doctor_http.check_web(place)
    yield "test clock", doctor_store.check_test_clock(place)
    yield "time zones", doctor_store.check_time_zones(place)


def _of_accounts(place: Installation, accounts: Sequence[Account]) -> Named:
    for account in accounts:
        for what, check in (
            ("billogram", doctor_http.check_credentials),
            ("callback key", doctor_http.check_callback_key),
            ("receiver", doctor_http.check_receiver),
        ):
            yield f"{what} {account.name}", check(place, account)


def _of_clocks(place: Installation, accounts: Sequence[Account]) -> Named:
    """One of each machine that we speak to, however many accounts it serves."""
    urls = [account.access.url for account in accounts if account.access]
    for host in sorted({_host(url) for url in (*urls, place.web_url) if url}):
        yield f"clock of {host}", doctor_http.check_clock(place, host)


def _host(url: str) -> str:
    """Without the path."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


async def _finding(name: str, check: Awaitable[str]) -> Finding:
    try:
        words = await asyncio.wait_for(check, CHECK_WITHIN_SECONDS)
    except Wrong as wrong:
        return Finding(check=name, state=State.WRONG, words=wrong.words, advice=wrong.advice)
    except Unknown as unknown:
        return Finding(check=name, state=State.UNKNOWN, words=str(unknown))
    except TimeoutError:
        silent = f"no answer within {CHECK_WITHIN_SECONDS:.0f} s"
        return Finding(check=name, state=State.WRONG, words=silent, advice="see whether it runs, and can be reached")
    except Exception as error:
        # One check that stumbles hides none of the others.
        failed = f"could not be checked ({type(error).__name__})"
        return Finding(check=name, state=State.WRONG, words=failed, advice="mend what the other lines tell first")
    return Finding(check=name, state=State.OK, words=words)


def _print(findings: Sequence[Finding]) -> None:
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        state = typer.style(f"{finding.state:<7}", fg=COLOURS[finding.state])
        advice = f" → {finding.advice}" if finding.advice else ""
        typer.echo(f"{state}  {finding.check:<{width}}  {' '.join(finding.words.split())}{advice}")
