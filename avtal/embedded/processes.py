"""Runs a part of the stack as a child process: logs to a file, restarts it if it ends, kills it with its parent."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

STOP_TIMEOUT_SECONDS = 15.0
RESTARTS_MAX = 5
"""In one minute."""


class PartFailed(RuntimeError):
    """A part of the stack does not start or keeps ending; see its log."""


class Part:
    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self._command = [sys.executable, "-P", "-m", "avtal.embedded.parent_death", str(os.getpid()), *command]
        self._log = log
        self._environment = {**os.environ, **environment}
        self._process: asyncio.subprocess.Process | None = None
        self._starts: list[float] = []
        self._stopping = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """In its own process group: Ctrl-C reaches only the stack, which stops its parts in order."""
        self._starts.append(time.monotonic())
        self._stopping = False
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                process_group=0,
            )

    async def run_until_stopped(self) -> None:
        """Restarts the process whenever it ends, until `stop()`. Raises PartFailed after too many restarts."""
        while self._process is not None and not self._stopping:
            await self._process.wait()
            if self._stopping:
                return
            recent = [at for at in self._starts if at > time.monotonic() - 60]
            if len(recent) > RESTARTS_MAX:
                raise PartFailed(f"{self.name} ended {len(recent)} times in a minute; see {self._log}")
            await asyncio.sleep(0.2)
            await self.start()

    def require_running(self) -> None:
        """Raises PartFailed if it has ended."""
        if self._process is None or self._process.returncode is not None:
            raise PartFailed(f"{self.name} did not start; see {self._log}:\n{self.log_tail()}")

    def log_tail(self) -> str:
        return self._log.read_text(errors="replace")[-1500:] if self._log.exists() else ""

    async def stop(self) -> None:
        self._stopping = True
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
