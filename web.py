"""The composition root of the web: mounts the API and the callback receiver, and runs the relay beside them."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager

import httpx
import sqlalchemy as sa
import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from temporalio.client import Client

from api.app import Api, api_router, install_problems
from api.health import health_router
from billogram.client import http_client
from callbacks.publishing import DELIVERIES_AT_ONCE_MAX, Publishing, endpoint_client
from callbacks.receiver import Receiver, receiver_router
from callbacks.recording import Recording
from callbacks.relay import Relay
from callbacks.telling import TellingTemporal
from config import WEB_PARTS, Settings, cipher_of
from starter.commands import Commands
from starter.connection import connect
from store.clock import Clock, TestClock
from store.database import Database
from store.deliveries import Delivery
from store.inbox import StoredCallback, claim_callbacks
from store.outbox import Telling, claim_tellings

RELAY_SILENT_SECONDS = 30.0


class Web:
    """One web process: what it serves, and what runs beside it."""

    def __init__(
        self, settings: Settings, client: Client, http: httpx.AsyncClient, publishers: httpx.AsyncClient
    ) -> None:
        self.private_endpoints = settings.private_endpoints
        self.database = Database(settings.store_url)
        self.cipher = cipher_of(settings)
        self.clock: Clock = TestClock(self.database) if settings.test_clock else Clock()
        self.client = client
        telling = TellingTemporal(client, self.database, settings.task_queue)
        self.outbox = Relay[Telling](self._tellings, lambda work: (work.account, work.contract_id), telling.tell)
        recording = Recording(self.database, self.cipher, http, self.outbox.wake)
        self.inbox = Relay[StoredCallback](self._callbacks, lambda work: (work.account, work.subject), recording.record)
        publishing = Publishing(self.database, self.cipher, publishers, private_ok=settings.private_endpoints)
        self.publisher = Relay[Delivery](
            publishing.fetch,
            lambda work: (work.account, work.event.contract_id),
            publishing.deliver,
            at_once_max=DELIVERIES_AT_ONCE_MAX,
        )

    def routers(self, parts: Collection[str]) -> Iterator[APIRouter]:
        yield health_router({"store": self._check_store, "temporal": self._check_temporal, "relay": self._check_relay})
        if "api" in parts:
            commands = Commands(self.client, self.database, self.clock)
            api = Api(self.database, self.clock, commands, self.outbox.wake, self.cipher, self.private_endpoints)
            yield api_router(api)
        if "callbacks" in parts:
            yield receiver_router(Receiver(self.database, self.cipher, self.clock, self.inbox.wake))

    def _callbacks(self, now: float, limit: int) -> Sequence[StoredCallback]:
        with self.database.write() as session:
            return claim_callbacks(session, now, limit)

    def _tellings(self, now: float, limit: int) -> Sequence[Telling]:
        with self.database.write() as session:
            return claim_tellings(session, now, limit)

    async def _check_store(self) -> None:
        await asyncio.to_thread(self._read_something)

    def _read_something(self) -> None:
        with self.database.read() as session:
            session.execute(sa.select(1))

    async def _check_temporal(self) -> None:
        if not await self.client.service_client.check_health():
            raise ConnectionError("Temporal says that it is not serving")

    async def _check_relay(self) -> None:
        silent = time.time() - min(relay.looked_at for relay in (self.inbox, self.outbox, self.publisher))
        if silent > RELAY_SILENT_SECONDS:
            raise ConnectionError("the relay does not look for work")


def create_app(settings: Settings, parts: Collection[str] = WEB_PARTS) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with http_client() as http, endpoint_client() as publishers:
            web = Web(settings, await connect(lazy=True), http, publishers)
            for router in web.routers(parts):
                app.include_router(router)
            relays = [asyncio.create_task(relay.run()) for relay in (web.inbox, web.outbox, web.publisher)]
            yield
            for task in relays:
                task.cancel()
            await asyncio.gather(*relays, return_exceptions=True)
            web.database.close()

    app = FastAPI(title="Avtal", lifespan=lifespan)
    install_problems(app)
    app.add_route("/metrics", _metrics)
    return app


def _metrics(_request: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def main(only: Collection[str] = WEB_PARTS) -> None:
    settings = Settings()
    # uvicorn raises the signal once more when it has stopped in good order; that is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        create_app(settings, only),
        host=settings.web_host,
        port=settings.web_port,
        log_level="warning",
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
