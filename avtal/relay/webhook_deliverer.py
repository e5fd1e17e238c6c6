"""Delivers events to the publishers' endpoints, signed by the Standard Webhooks scheme.

Every attempt resolves and checks the host again and connects to the checked address, so a changed DNS record cannot
redirect it to a private network. Only the response's status is read.
"""

import asyncio
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import simplejson
from prometheus_client import Counter as Metric
from standardwebhooks import Webhook

from avtal.contracts.events.events import instant_text
from avtal.endpoint_resolver import InvalidEndpoint, addresses_of
from avtal.log_context import log_context
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.queues.deliveries import (
    Delivery,
    claim_deliveries,
    delivery_backlog,
    fail_delivery,
    finish_delivery,
    queue_deliveries,
    release_deliveries,
)
from avtal.store.queues.lease import Backlog

RESPONSE_SECONDS_MAX = 10.0
CONNECT_SECONDS_MAX = 3.0
LOOKUPS_MAX = 32
DELIVERIES_MAX = 128

ATTEMPTS = Metric("avtal_event_deliveries", "Attempts to deliver an event, by outcome", ["outcome"])
logger = logging.getLogger(__name__)


def endpoint_client() -> httpx.AsyncClient:
    """Without proxies, redirects, and kept connections: each attempt connects to the address checked for it."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    timeout = httpx.Timeout(RESPONSE_SECONDS_MAX, connect=CONNECT_SECONDS_MAX)
    return httpx.AsyncClient(limits=limits, timeout=timeout, follow_redirects=False, trust_env=False)


class WebhookDeliverer:
    """A queue of the relay."""

    name = "deliveries"

    def __init__(self, database: Database, cipher: Cipher, http: httpx.AsyncClient, *, private_ok: bool) -> None:
        self._database = database
        self._cipher = cipher
        self._http = http
        self._private_ok = private_ok
        self._lock = threading.Lock()
        self._in_flight: Counter[str] = Counter()
        # Threads of its own, because a silent name server would block those of everything else.
        self._lookups = ThreadPoolExecutor(LOOKUPS_MAX, thread_name_prefix="dns")

    def claim(self, now: float, limit: int) -> Sequence[Delivery]:
        with self._lock:
            in_flight = dict(self._in_flight)
        with self._database.write() as session:
            queue_deliveries(session, now)
            due = claim_deliveries(session, self._cipher, now, limit, in_flight)
        with self._lock:
            self._in_flight.update(delivery.account for delivery in due)
        return due

    def key(self, work: Delivery) -> Hashable:
        return work.account, work.event.contract_id

    async def process(self, work: Delivery) -> None:
        with log_context(work.account, work.event.contract_id, work.event.bill_id):
            try:
                last_error = await self._attempt(work)
                await asyncio.to_thread(self._settle, work, last_error)
            finally:
                with self._lock:
                    self._in_flight[work.account] -= 1

    def defer(self, work: Delivery, last_error: str) -> None:
        self._settle(work, last_error)

    def release(self, works: Sequence[Delivery]) -> None:
        with self._database.write() as session:
            release_deliveries(session, works)

    def backlog(self, now: float) -> Backlog:
        with self._database.read() as session:
            return delivery_backlog(session, now)

    async def _attempt(self, delivery: Delivery) -> str | None:
        """None if the endpoint accepted the event, else the error."""
        try:
            async with asyncio.timeout(RESPONSE_SECONDS_MAX):
                status = await self._post(delivery)
        except InvalidEndpoint as bad:
            return f"the address {bad}"
        except TimeoutError:
            return f"no response within {RESPONSE_SECONDS_MAX:.0f} s"
        except httpx.HTTPError as error:
            return type(error).__name__
        return None if 200 <= status < 300 else f"HTTP {status}"

    async def _post(self, delivery: Delivery) -> int:
        loop = asyncio.get_running_loop()
        addresses = await loop.run_in_executor(self._lookups, self._resolve, delivery.url)
        url = httpx.URL(delivery.url)
        body = body_of(delivery)
        headers = {"host": url.netloc.decode(), "content-type": "application/json", "user-agent": "Avtal"}
        headers |= signature_headers(delivery, body, datetime.now(UTC))
        for number, address in enumerate(addresses, 1):
            try:
                return await self._post_to(url, address, body, headers)
            except httpx.ConnectError:
                if number == len(addresses):
                    raise
        raise AssertionError("a resolved host has an address")

    async def _post_to(self, url: httpx.URL, address: str, body: str, headers: dict[str, str]) -> int:
        """The certificate must be the host's, not the address's."""
        request = self._http.build_request(
            "POST",
            url.copy_with(host=address),
            content=body.encode(),
            headers=headers,
            extensions={"sni_hostname": url.host},
        )
        response = await self._http.send(request, stream=True)
        await response.aclose()
        return response.status_code

    def _resolve(self, url: str) -> Sequence[str]:
        return addresses_of(url, private_ok=self._private_ok)

    def _settle(self, delivery: Delivery, last_error: str | None) -> None:
        seq = delivery.event.seq
        with self._database.write() as session:
            if last_error is None:
                finish_delivery(session, delivery.account, seq)
                is_dead = False
            else:
                is_dead = fail_delivery(session, delivery.account, seq, last_error, time.time(), random.random())
        ATTEMPTS.labels("delivered" if last_error is None else "dead" if is_dead else "failed").inc()
        if is_dead:
            logger.warning("event %d of account %s is dead after 72 hours: %s", seq, delivery.account, last_error)


def body_of(delivery: Delivery) -> str:
    event = delivery.event
    body = {"type": event.type, "timestamp": instant_text(event.at), "data": {**event.data, "seq": event.seq}}
    return str(simplejson.dumps(body, separators=(",", ":")))


def signature_headers(delivery: Delivery, body: str, now: datetime) -> dict[str, str]:
    """During a rotation, both secrets sign."""
    signatures = [Webhook(secret).sign(delivery.event.event_id, now, body) for secret in delivery.secrets]
    return {
        "webhook-id": delivery.event.event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
