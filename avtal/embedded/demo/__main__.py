"""`python -m avtal.embedded.demo`: runs a year of contracts on the embedded stack, shows it live, and checks it.

Exits with 0, with 1 if a check failed or the demo stopped, and with 130 after Ctrl-C.
"""

import asyncio
import logging
import signal
import sys
import time
from datetime import datetime
from pathlib import Path

import httpx
from rich.console import Console
from rich.markup import escape

from avtal.config import Settings
from avtal.embedded.demo.clients import CallRefused
from avtal.embedded.demo.data_dir import DataDirUnavailable, prepare_data_dir
from avtal.embedded.demo.run import DemoRun, ScenarioMismatch
from avtal.embedded.forward import ForwardFailed
from avtal.embedded.ports import free_ports
from avtal.embedded.processes import PartFailed
from avtal.embedded.stack import AlreadyRunning, running_stack, supervise

FAILURES = (
    AlreadyRunning,
    CallRefused,
    DataDirUnavailable,
    ForwardFailed,
    PartFailed,
    ScenarioMismatch,
    OSError,
    httpx.HTTPError,
)
EXIT_INTERRUPTED = 130
WIDTH_IN_PIPES = 120


def main() -> int:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH_IN_PIPES
    try:
        return asyncio.run(_run_interruptibly(console))
    except* FAILURES as failed:
        console.print(f"[red]the demo stopped:[/red] {escape(str(_first(failed)))}", soft_wrap=True)
    return 1


async def _run_interruptibly(console: Console) -> int:
    """The first Ctrl-C stops everything in order; the following ones are ignored."""
    run = asyncio.ensure_future(_run(console))

    def interrupt() -> None:
        if not run.cancelling():
            run.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupt)
    try:
        return await run
    except asyncio.CancelledError:
        console.print("stopped")
        return EXIT_INTERRUPTED


async def _run(console: Console) -> int:
    started_at = time.monotonic()
    data_dir = Settings().data_dir
    console.print(prepare_data_dir(data_dir, datetime.now().astimezone()), soft_wrap=True, markup=False)
    console.print("starting Temporal, Billogram's sandbox, the web, and the worker …")
    async with running_stack(data_dir, free_ports()) as stack, asyncio.TaskGroup() as group:
        _log_to(stack.data_dir / "logs" / "demo.log")
        supervision = group.create_task(supervise(stack))
        is_ok = await DemoRun(console, stack, started_at).run()
        await _wait_for_enter(console)
        supervision.cancel()
    return 0 if is_ok else 1


def _log_to(file: Path) -> None:
    """The terminal shows one line for an error; its traceback is in this file."""
    logging.getLogger().addHandler(logging.FileHandler(file, delay=True))


async def _wait_for_enter(console: Console) -> None:
    """Keeps the printed links alive on a terminal. Ctrl-C ends the wait too, and the result stays."""
    if not (console.is_terminal and sys.stdin.isatty()):
        return
    console.print("Press Enter to stop.")
    pressed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def read() -> None:
        sys.stdin.readline()
        pressed.set()

    loop.add_signal_handler(signal.SIGINT, pressed.set)
    loop.add_reader(sys.stdin, read)
    try:
        await pressed.wait()
    finally:
        loop.remove_reader(sys.stdin)


def _first(failed: BaseException) -> BaseException:
    while isinstance(failed, BaseExceptionGroup):
        failed = failed.exceptions[0]
    return failed


if __name__ == "__main__":
    sys.exit(main())
