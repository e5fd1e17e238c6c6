"""Sends the callbacks that are ready, in parallel. The queue decides order and retries."""

import asyncio
import time
from typing import TYPE_CHECKING

from billogram_sandbox.callbacks import outbox, signatures
from billogram_sandbox.callbacks.outbox import Attempt, Job
from billogram_sandbox.core.wakeup import wait_for_event
from billogram_sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    import aiohttp


class Sender:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._sending: set[int] = set()

    async def run(self) -> None:
        jobs = await self._next_jobs()
        import aiohttp  # noqa: PLC0415 - a quarter of the start, and needed from the first callback on

        timeout = aiohttp.ClientTimeout(self._sandbox.settings.callback_timeout_seconds)
        client = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        async with client, asyncio.TaskGroup() as group:
            while True:
                for job in jobs:
                    self._sending.add(job.seq)
                    group.create_task(self._send(client, job))
                jobs = await self._next_jobs()

    async def _next_jobs(self) -> list[Job]:
        while True:
            self._sandbox.callback_queued.clear()
            now = time.time()  # one time for both queries, else what becomes ready between them is missed
            if jobs := self._ready(now):
                return jobs
            await wait_for_event(self._sandbox.callback_queued, self._seconds_until_ready(now))

    def _ready(self, now: float) -> list[Job]:
        free = self._sandbox.settings.callback_concurrency_max - len(self._sending)
        return outbox.ready_jobs(self._sandbox.database, now, free, self._sending) if free else []

    def _seconds_until_ready(self, now: float) -> float | None:
        at = outbox.next_ready(self._sandbox.database, now)
        return None if at is None else max(0.0, at - time.time())

    async def _send(self, client: "aiohttp.ClientSession", job: Job) -> None:
        attempt = await _attempt(client, job)
        with self._sandbox.database.transaction():
            outbox.record_attempt(self._sandbox.database, self._sandbox.settings, job, attempt)
        self._sending.discard(job.seq)
        if waiter := self._sandbox.attempt_waiters.pop(job.seq, None):
            waiter.set()
        self._sandbox.callback_queued.set()


async def _attempt(client: "aiohttp.ClientSession", job: Job) -> Attempt:
    started, body = time.time(), outbox.signed_body(job)
    try:
        response = await client.post(job.url, data=body, headers=_headers(job, body), allow_redirects=False)
        await response.read()
    except Exception as error:  # any error of the receiver fails the attempt, not the sender
        return Attempt(started, None, f"{type(error).__name__}: {error}")
    is_taken = 200 <= response.status < 300
    return Attempt(started, response.status, None if is_taken else f"answered {response.status}")


def _headers(job: Job, body: bytes) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": "billogram-sandbox"}
    if job.sign_key:
        timestamp = f"{time.time():.6f}"
        headers["Billogram-Request-Timestamp"] = timestamp
        headers["Billogram-Signature"] = signatures.current(job.sign_key, timestamp, body)
    return headers
