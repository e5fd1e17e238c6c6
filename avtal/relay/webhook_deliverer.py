"""The third half of the relay: events reach the publishers' endpoints, signed by the Standard Webhooks scheme.

The host is resolved and checked anew for every attempt, and the address that was checked is the one connected to, so
that a name which changes its mind leads nowhere else. Nothing is read of an answer but its status.
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
from prometheus_client import Counter as Figure
from standardwebhooks import Webhook

from avtal.contracts.events.events import instant_text
from avtal.endpoint_resolver import InvalidEndpoint, addresses_of
from avtal.log_context import log_context
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.queues.deliveries import (
    Delivery,
    claim_deliveries,
    delivered,
    delivery_backlog,
    failed,
    queue_deliveries,
    release_deliveries,
)
from avtal.store.queues.inbox import Backlog

ANSWERS_WITHIN_SECONDS = 10.0
CONNECTS_WITHIN_SECONDS = 3.0
NAMES_AT_ONCE_MAX = 32
DELIVERIES_AT_ONCE_MAX = 128

OUTCOMES = Figure("avtal_event_deliveries", "Attempts to deliver an event by what became of them", ["outcome"])
logger = logging.getLogger(__name__)


def endpoint_client() -> httpx.AsyncClient:
    """Knows no proxy, follows nothing, and keeps no connection: one is made to a checked address, for one attempt."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    timeout = httpx.Timeout(ANSWERS_WITHIN_SECONDS, connect=CONNECTS_WITHIN_SECONDS)
    return httpx.AsyncClient(limits=limits, timeout=timeout, follow_redirects=False, trust_env=False)


class WebhookDeliverer:
    """The third box of the relay: what is on its way to the endpoints."""

    name = "deliveries"
    has_more = False

    def __init__(self, database: Database, cipher: Cipher, http: httpx.AsyncClient, *, private_ok: bool) -> None:
        self._database = database
        self._cipher = cipher
        self._http = http
        self._private_ok = private_ok
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()
        # A silent name server holds up its own endpoints, and not the threads of everything else.
        self._names = ThreadPoolExecutor(NAMES_AT_ONCE_MAX, thread_name_prefix="names")

    def claim(self, now: float, limit: int) -> Sequence[Delivery]:
        with self._lock:
            under_way = dict(self._under_way)
        with self._database.write() as session:
            queue_deliveries(session, now)
            due = claim_deliveries(session, self._cipher, now, limit, under_way)
        with self._lock:
            self._under_way.update(delivery.account for delivery in due)
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
                    self._under_way[work.account] -= 1

    def defer(self, work: Delivery, last_error: str) -> None:
        self._settle(work, last_error)

    def release(self, works: Sequence[Delivery]) -> None:
        with self._database.write() as session:
            release_deliveries(session, works)

    def backlog(self, now: float) -> Backlog:
        with self._database.read() as session:
            return delivery_backlog(session, now)

    async def _attempt(self, delivery: Delivery) -> str | None:
        """None if the endpoint has taken the event, else why not."""
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
                status = await self._post(delivery)
        except InvalidEndpoint as bad:
            return f"the address {bad}"
        except TimeoutError:
            return f"no answer within {ANSWERS_WITHIN_SECONDS:.0f} s"
        except httpx.HTTPError as error:
            return type(error).__name__
        return None if 200 <= status < 300 else f"HTTP {status}"

    async def _post(self, delivery: Delivery) -> int:
        loop = asyncio.get_running_loop()
        addresses = await loop.run_in_executor(self._names, self._resolve, delivery.url)
        url = httpx.URL(delivery.url)
        body = body_of(delivery)
        headers = {"host": url.netloc.decode(), "content-type": "application/json", "user-agent": "Avtal"}
        headers |= signed(delivery, body, datetime.now(UTC))
        for number, address in enumerate(addresses, 1):
            try:
                return await self._post_to(url, address, body, headers)
            except httpx.ConnectError:
                if number == len(addresses):
                    raise
        raise AssertionError("a host that was found has an address")

    async def _post_to(self, url: httpx.URL, address: str, body: str, headers: dict[str, str]) -> int:
        """The certificate must be the host's, whatever address it has."""
        request = self._http.build_request(
            "POST",
            url.copy_with(host=address),
            content=body.encode(),
            headers=headers,
            extensions={"sni_hostname": url.host},
        )
        answer = await self._http.send(request, stream=True)
        await answer.aclose()
        return answer.status_code

    def _resolve(self, url: str) -> Sequence[str]:
        return addresses_of(url, private_ok=self._private_ok)

    def _settle(self, delivery: Delivery, last_error: str | None) -> None:
        seq = delivery.event.seq
        with self._database.write() as session:
            if last_error is None:
                delivered(session, delivery.account, seq)
                is_dead = False
            else:
                is_dead = failed(session, delivery.account, seq, last_error, time.time(), random.random())
        OUTCOMES.labels("delivered" if last_error is None else "dead" if is_dead else "failed").inc()
        if is_dead:
            logger.warning("event %d of account %s was given up after 72 hours: %s", seq, delivery.account, last_error)


def body_of(delivery: Delivery) -> str:
    event = delivery.event
    told = {"type": event.type, "timestamp": instant_text(event.at), "data": {**event.data, "seq": event.seq}}
    return str(simplejson.dumps(told, separators=(",", ":")))


def signed(delivery: Delivery, body: str, now: datetime) -> dict[str, str]:
    """The headers; during a rotation both secrets sign."""
    signatures = [Webhook(secret).sign(delivery.event.event_id, now, body) for secret in delivery.secrets]
    return {
        "webhook-id": delivery.event.event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
