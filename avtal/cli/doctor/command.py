"""`avtal doctor`: runs every check concurrently and within a time limit, and prints one line for each."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

import typer

from avtal.cli.doctor import http_checks, store_checks, temporal_checks
from avtal.cli.doctor.installation import CheckFailed, CheckSkipped, Installation, opened_installation
from avtal.cli.doctor.store_checks import Account
from avtal.cli.settings import DataDir
from avtal.cli.terminal import fail, show_json
from avtal.contracts.frozen import Frozen
from avtal.temporal_admin.namespace import task_queues

CHECK_TIMEOUT_SECONDS = 10.0

app = typer.Typer()


class State(StrEnum):
    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "unknown"


COLOURS = {State.OK: typer.colors.GREEN, State.WRONG: typer.colors.RED, State.UNKNOWN: typer.colors.YELLOW}


class Finding(Frozen):
    check: str
    state: State
    message: str
    advice: str | None = None


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON.")] = False, _data: DataDir = None
) -> None:
    """Check an installation and say what to do."""
    try:
        findings = asyncio.run(_examine())
    except (RuntimeError, ValueError) as error:
        fail(f"the settings of Temporal are invalid: {error}")
    is_ok = all(finding.state is not State.WRONG for finding in findings)
    if as_json:
        show_json({"ok": is_ok, "checks": [finding.model_dump(mode="json") for finding in findings]})
    else:
        _print(findings)
    if not is_ok:
        raise typer.Exit(1)


async def _examine() -> Sequence[Finding]:
    async with opened_installation() as installation:
        try:
            accounts = await asyncio.wait_for(store_checks.accounts_of(installation), CHECK_TIMEOUT_SECONDS)
        except (CheckSkipped, TimeoutError):
            accounts = []
        checks = [
            *_system_checks(installation),
            *_account_checks(installation, accounts),
            *_clock_checks(installation, accounts),
        ]
        return await asyncio.gather(*(_finding(name, check) for name, check in checks))


NamedChecks = Iterator[tuple[str, Awaitable[str]]]


def _system_checks(installation: Installation) -> NamedChecks:
    yield "secret key", store_checks.check_secret_key(installation)
    yield "secrets", store_checks.check_secrets(installation)
    yield "database", store_checks.check_database(installation)
    yield "schema", store_checks.check_schema(installation)
    yield "temporal", temporal_checks.check_temporal(installation)
    yield "namespace", temporal_checks.check_namespace(installation)
    yield "search attributes", temporal_checks.check_search_attributes(installation)
    for queue in task_queues(installation.settings.task_queue):
        yield f"worker {queue}", temporal_checks.check_worker(installation, queue)
    yield "worker version", temporal_checks.check_worker_version(installation)
    yield "web", http_checks.check_web(installation)
    yield "test clock", store_checks.check_test_clock(installation)
    yield "time zones", store_checks.check_time_zones(installation)


def _account_checks(installation: Installation, accounts: Sequence[Account]) -> NamedChecks:
    for account in accounts:
        for subject, check in (
            ("billogram", http_checks.check_credentials),
            ("callback key", http_checks.check_callback_key),
            ("receiver", http_checks.check_receiver),
        ):
            yield f"{subject} {account.name}", check(installation, account)


def _clock_checks(installation: Installation, accounts: Sequence[Account]) -> NamedChecks:
    """One for each host, however many accounts it serves."""
    urls = [account.credentials.url for account in accounts if account.credentials]
    for host in sorted({_host(url) for url in (*urls, installation.web_url) if url}):
        yield f"clock of {host}", http_checks.check_clock(installation, host)


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


async def _finding(name: str, check: Awaitable[str]) -> Finding:
    try:
        message = await asyncio.wait_for(check, CHECK_TIMEOUT_SECONDS)
    except CheckFailed as failed:
        return Finding(check=name, state=State.WRONG, message=failed.message, advice=failed.advice)
    except CheckSkipped as skipped:
        return Finding(check=name, state=State.UNKNOWN, message=str(skipped))
    except TimeoutError:
        message = f"no response within {CHECK_TIMEOUT_SECONDS:.0f} s"
        return Finding(check=name, state=State.WRONG, message=message, advice="check that it runs and can be reached")
    except Exception as error:
        # An internal error of one check hides none of the others.
        message = f"could not be checked ({type(error).__name__})"
        return Finding(check=name, state=State.WRONG, message=message, advice="fix the other lines first")
    return Finding(check=name, state=State.OK, message=message)


def _print(findings: Sequence[Finding]) -> None:
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        state = typer.style(f"{finding.state:<7}", fg=COLOURS[finding.state])
        advice = f" → {finding.advice}" if finding.advice else ""
        typer.echo(f"{state}  {finding.check:<{width}}  {' '.join(finding.message.split())}{advice}")
