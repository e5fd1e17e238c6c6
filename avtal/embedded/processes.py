"""A part of the stack as a process of its own: started on a leash, logged to a file, started again if it dies."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

STOPS_WITHIN_SECONDS = 15.0
RESTARTS_MAX = 5
"""In one minute; more means that it can't run."""


class PartFailed(RuntimeError):
    """A part of the stack does not come up or stay up; its log tells why."""


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
        """In a process group of its own: Ctrl-C reaches the stack alone, which stops its parts in order."""
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

    async def keep_up(self) -> None:
        """Until `stop()`: whenever it ends, starts it again. Raises PartFailed if that does not help."""
        while self._process is not None and not self._stopping:
            await self._process.wait()
            if self._stopping:
                return
            recent = [at for at in self._starts if at > time.monotonic() - 60]
            if len(recent) > RESTARTS_MAX:
                raise PartFailed(f"{self.name} ended {len(recent)} times in a minute; see {self._log}")
            await asyncio.sleep(0.2)
            await self.start()

    def check_running(self) -> None:
        """Raises PartFailed if it has ended."""
        if self._process is None or self._process.returncode is not None:
            raise PartFailed(f"{self.name} did not start; see {self._log}:\n{self.last_words()}")

    def last_words(self) -> str:
        return self._log.read_text(errors="replace")[-1500:] if self._log.exists() else ""

    async def stop(self) -> None:
        self._stopping = True
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOPS_WITHIN_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
