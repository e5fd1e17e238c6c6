"""Sends the callbacks that are ready, a few billograms at a time. Order and retries are decided in the queue."""

import asyncio
import time

import aiohttp

from billogram_sandbox.callbacks import outbox, signatures
from billogram_sandbox.callbacks.outbox import Attempt, Job
from billogram_sandbox.core.wake import wait
from billogram_sandbox.sandbox import Sandbox


class Sender:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._sending: set[int] = set()

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(self._sandbox.settings.callback_timeout)
        client = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        async with client, asyncio.TaskGroup() as group:
            while True:
                self._sandbox.callback_queued.clear()
                now = time.time()  # the same for both questions, or what becomes ready between them would be overlooked
                for job in self._ready(now):
                    self._sending.add(job.seq)
                    group.create_task(self._send(client, job))
                await wait(self._sandbox.callback_queued, self._seconds(now))

    def _ready(self, now: float) -> list[Job]:
        free = self._sandbox.settings.callbacks_at_once - len(self._sending)
        return outbox.ready(self._sandbox.database, now, free, self._sending) if free else []

    def _seconds(self, now: float) -> float | None:
        at = outbox.next_ready(self._sandbox.database, now)
        return None if at is None else max(0.0, at - time.time())

    async def _send(self, client: aiohttp.ClientSession, job: Job) -> None:
        attempt = await _attempt(client, job)
        with self._sandbox.database.transaction():
            outbox.attempted(self._sandbox.database, self._sandbox.settings, job, attempt)
        self._sending.discard(job.seq)
        if waiter := self._sandbox.awaited.pop(job.seq, None):
            waiter.set()
        self._sandbox.callback_queued.set()


async def _attempt(client: aiohttp.ClientSession, job: Job) -> Attempt:
    started, body = time.time(), outbox.signed(job)
    try:
        answer = await client.post(job.url, data=body, headers=_headers(job, body), allow_redirects=False)
        await answer.read()
    except Exception as error:  # whatever an address can do wrong is this attempt's failure, not the sender's
        return Attempt(started, None, f"{type(error).__name__}: {error}")
    return Attempt(started, answer.status, None if answer.ok and answer.status < 300 else f"answered {answer.status}")


def _headers(job: Job, body: bytes) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": "billogram-sandbox"}
    if job.sign_key:
        timestamp = f"{time.time():.6f}"
        headers["Billogram-Request-Timestamp"] = timestamp
        headers["Billogram-Signature"] = signatures.current(job.sign_key, timestamp, body)
    return headers
