"""The composition root of the web: mounts API, callback receiver, and portal, and runs the relay beside them."""

import asyncio
import gc
import logging
import signal
import time
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, suppress

import httpx
import uvicorn
from aiohttp import ClientSession
from anyio import to_thread
from fastapi import APIRouter, FastAPI
from temporalio.client import Client

from avtal.api import index_page as front
from avtal.api.app import Api, api_router, install_problems
from avtal.api.health.health import NotReady, health_router
from avtal.api.health.readiness import check_store, check_temporal
from avtal.billogram.client import http_client
from avtal.callbacks.receiver import Receiver, receiver_router
from avtal.callbacks.recorder import CallbackRecorder
from avtal.config import WEB_PARTS, Settings, cipher_of
from avtal.portal.app import Portal, portal_app
from avtal.portal.sessions import PREFIX as PORTAL_PREFIX
from avtal.process import tune_interpreter
from avtal.reconciliation.sweep import Reconciler
from avtal.reconciliation.sweep_scheduler import SweepScheduler
from avtal.relay.queues import Inbox, Outbox, measure, relay_trouble
from avtal.relay.relay import Relay
from avtal.relay.temporal_dispatcher import TemporalDispatcher
from avtal.relay.webhook_deliverer import DELIVERIES_AT_ONCE_MAX, WebhookDeliverer, endpoint_client
from avtal.store.engine.clock import Clock, TestClock
from avtal.store.engine.database import Database
from avtal.store.opening import open_store
from avtal.store.queues.deliveries import Delivery
from avtal.store.queues.inbox import StoredCallback
from avtal.store.queues.outbox import OutboxMessage
from avtal.telemetry import REQUEST_TRACING, Telemetry, start_telemetry
from avtal.temporal_admin.connection import connect
from starter.commands import Commands

KEPT_ALIVE_SECONDS = 75
"""Longer than a proxy's or a client's minute, so that these close idle connections, and none in the middle of a use."""
THREADS = 4
"""For the API; more of them fight for the interpreter, and all become slower."""
log = logging.getLogger("web")


class Web:
    """One web process: what it serves, and what runs beside it."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        client: Client,
        http: ClientSession,
        publishers: httpx.AsyncClient,
    ) -> None:
        self.private_endpoints = settings.private_endpoints
        self.database = database
        self.cipher = cipher_of(settings)
        self.clock: Clock = TestClock(database) if settings.test_clock else Clock()
        self.client = client
        outbox = Outbox(database, TemporalDispatcher(client, database, settings.task_queue).tell)
        self.outbox = Relay[OutboxMessage](outbox)
        inbox = Inbox(database, CallbackRecorder(database, self.cipher, http, self.outbox.wake))
        self.inbox = Relay[StoredCallback](inbox)
        self.late_boxes = inbox, outbox
        publishing = WebhookDeliverer(database, self.cipher, publishers, private_ok=settings.private_endpoints)
        self.publisher = Relay[Delivery](publishing, at_once_max=DELIVERIES_AT_ONCE_MAX)
        self.boxes = inbox, outbox, publishing
        reconciling = Reconciler(database, self.cipher, http, self.clock, self.outbox.wake)
        self.sweeping = SweepScheduler(database, reconciling, settings.reconcile_hours)

    def routers(self, parts: Collection[str]) -> Iterator[APIRouter]:
        if "callbacks" in parts:  # the first: routes are tried in this order, and most requests are callbacks
            yield receiver_router(Receiver(self.database, self.cipher, self.clock, self.inbox.wake))
        yield front.router
        yield health_router(
            {
                "store": lambda: check_store(self.database),
                "temporal": lambda: check_temporal(self.client),
                "relay": self._check_relay,
            }
        )
        if "api" in parts:
            commands = Commands(self.client, self.database, self.clock)
            api = Api(self.database, self.clock, commands, self.outbox.wake, self.cipher, self.private_endpoints)
            yield api_router(api)

    async def _check_relay(self) -> None:
        now = time.time()
        backlogs = {box.name: await asyncio.to_thread(box.backlog, now) for box in self.late_boxes}
        looked_at = min(relay.looked_at for relay in (self.inbox, self.outbox, self.publisher))
        last_error = relay_trouble(now - looked_at, backlogs)
        if last_error is not None:
            raise NotReady(last_error)


def create_app(settings: Settings, telemetry: Telemetry, parts: Collection[str] = WEB_PARTS) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        database = open_store(settings.store_url, test_clock=settings.test_clock)
        async with http_client() as http, endpoint_client() as publishers:
            client = await connect(lazy=True, plugins=telemetry.plugins)
            web = Web(settings, database, client, http, publishers)
            telemetry.serve_metrics(app, lambda: measure(web.boxes))
            for router in web.routers(parts):
                app.include_router(router)
            if "portal" in parts:
                app.mount(PORTAL_PREFIX, portal_app(Portal(web.database, web.clock, Clock())))
            gc.freeze()  # what was built to serve is never garbage, and need not be looked through again and again
            relays = web.inbox, web.outbox, web.publisher
            running = [asyncio.create_task(relay.run()) for relay in relays]
            sweeping = asyncio.create_task(web.sweeping.run()) if settings.reconcile_hours else None
            log.info("web started: %s on %s:%d", ", ".join(parts), settings.web_host, settings.web_port)
            yield
            for relay in relays:
                relay.stop()
            if sweeping is not None:
                sweeping.cancel()
                running.append(sweeping)
            await asyncio.gather(*running, return_exceptions=True)
            database.close()
        log.info("web stopped")
        await telemetry.close()

    app = FastAPI(title="Avtal", lifespan=lifespan, telemetry=REQUEST_TRACING)
    install_problems(app)
    return app


def main(only: Collection[str] = WEB_PARTS) -> None:
    tune_interpreter()
    settings = Settings()
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings, start_telemetry("web", settings), only),
            host=settings.web_host,
            port=settings.web_port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
            timeout_keep_alive=KEPT_ALIVE_SECONDS,
        )
    )
    # Noted while it starts, and also when uvicorn raises it once more at the end; an exception could be lost.
    signal.signal(signal.SIGTERM, server.handle_exit)
    with suppress(KeyboardInterrupt):
        server.run()


if __name__ == "__main__":
    main()
