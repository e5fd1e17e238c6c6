"""`python -m embedded.demo`: a year of contracts on the embedded stack, shown live, checked, and told in a table.

Ends with 0, with 1 if a check failed or the year did not go on, and with 130 after Ctrl-C.
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
from avtal.embedded.demo.data_dir import NotFresh, fresh
from avtal.embedded.demo.run import NotTheStory, Showing
from avtal.embedded.demo.year import ClockStopped
from avtal.embedded.ports import free_ports
from avtal.embedded.processes import PartFailed
from avtal.embedded.stack import AlreadyRunning, attend, running_stack

FAILURES = (AlreadyRunning, CallRefused, ClockStopped, NotFresh, NotTheStory, PartFailed, OSError, httpx.HTTPError)
INTERRUPTED = 130


def main() -> int:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 120  # a file or a pipe has no edge of its own
    try:
        return asyncio.run(_interruptible(console))
    except* FAILURES as failed:
        console.print(f"[red]the demo stopped:[/red] {escape(str(_first(failed)))}", soft_wrap=True)
    return 1


async def _interruptible(console: Console) -> int:
    """Ctrl-C stops everything in order, once; pressed again, it can't leave anything behind."""
    showing = asyncio.ensure_future(_run(console))

    def interrupt() -> None:
        if not showing.cancelling():
            showing.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupt)
    try:
        return await showing
    except asyncio.CancelledError:
        console.print("stopped")
        return INTERRUPTED


async def _run(console: Console) -> int:
    began = time.monotonic()
    data_dir = Settings().data_dir
    console.print(fresh(data_dir, datetime.now().astimezone()), soft_wrap=True, markup=False)
    console.print("starting Temporal, Billogram's sandbox, the web, and the worker …")
    async with running_stack(data_dir, free_ports()) as stack, asyncio.TaskGroup() as group:
        _log_to(stack.data_dir / "logs" / "demo.log")
        attending = group.create_task(attend(stack))
        is_good = await Showing(console, stack, began).run()
        await _stay(console)
        attending.cancel()
    return 0 if is_good else 1


def _log_to(file: Path) -> None:
    """The terminal is for the show; what goes wrong is told there in one line, and in full here."""
    logging.getLogger().addHandler(logging.FileHandler(file, delay=True))


async def _stay(console: Console) -> None:
    """On a terminal until Enter, so that the links are alive. Ctrl-C is as good: what was found stands."""
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
