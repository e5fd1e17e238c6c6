"""Sends the callbacks that are ready, a few billograms at a time. Order and retries are decided in the queue."""

import asyncio
import time

from billogram_sandbox import callbacks, signatures
from billogram_sandbox.callbacks import Attempt, Job
from billogram_sandbox.posting import Poster
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.wake import wait


class Sender:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._poster = Poster(sandbox.settings.callback_timeout)
        self._sending: set[int] = set()

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    self._sandbox.callback_queued.clear()
                    for job in self._ready():
                        self._sending.add(job.seq)
                        group.create_task(self._send(job))
                    await wait(self._sandbox.callback_queued, self._seconds())
        finally:
            self._poster.close()

    def _ready(self) -> list[Job]:
        free = self._sandbox.settings.callbacks_at_once - len(self._sending)
        return callbacks.ready(self._sandbox.database, time.time(), free, self._sending) if free else []

    def _seconds(self) -> float | None:
        at = callbacks.next_ready(self._sandbox.database, time.time())
        return None if at is None else max(0.0, at - time.time())

    async def _send(self, job: Job) -> None:
        attempt = await self._attempt(job)
        with self._sandbox.database.transaction():
            callbacks.attempted(self._sandbox.database, self._sandbox.settings, job, attempt)
        self._sending.discard(job.seq)
        if waiter := self._sandbox.awaited.pop(job.seq, None):
            waiter.set()
        self._sandbox.callback_queued.set()

    async def _attempt(self, job: Job) -> Attempt:
        started, body = time.time(), callbacks.signed(job)
        try:
            status = await self._poster.post(job.url, _headers(job, body), body)
        except Exception as error:  # whatever an address can do wrong is this attempt's failure, not the sender's
            return Attempt(started, None, f"{type(error).__name__}: {error}")
        return Attempt(started, status, None if 200 <= status < 300 else f"answered {status}")


def _headers(job: Job, body: bytes) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": "billogram-sandbox"}
    if job.sign_key:
        timestamp = f"{time.time():.6f}"
        headers["Billogram-Request-Timestamp"] = timestamp
        headers["Billogram-Signature"] = signatures.current(job.sign_key, timestamp, body)
    return headers
