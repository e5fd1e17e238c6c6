"""The composition root of the web: mounts API, callback receiver, and portal; runs the relays and the sweep."""

import asyncio
import gc
import logging
import signal
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from types import FrameType

import httpx
import uvicorn
from anyio import to_thread
from fastapi import FastAPI
from temporalio.client import Client

from avtal.api import index_page
from avtal.api.authentication import Api
from avtal.api.health import NotReady, check_store, check_temporal, health_router
from avtal.api.problems.handlers import install_problems
from avtal.api.router import api_router
from avtal.billogram.transport import http_client
from avtal.callbacks.inbox_queue import InboxQueue
from avtal.callbacks.receiver import Receiver, receiver_router
from avtal.callbacks.recorder import CallbackRecorder
from avtal.config import WEB_PARTS, Settings, cipher_of
from avtal.interpreter import tune_interpreter
from avtal.portal.app import portal_app
from avtal.portal.sessions import PREFIX as PORTAL_PREFIX
from avtal.portal.sessions import Portal
from avtal.reconciliation.sweep import Reconciler
from avtal.reconciliation.sweep_scheduler import SweepScheduler
from avtal.relay.health import measure, relay_problem
from avtal.relay.outbox_queue import OutboxQueue
from avtal.relay.relay import Relay
from avtal.relay.temporal_dispatcher import TemporalDispatcher
from avtal.relay.webhook_deliverer import DELIVERIES_MAX, WebhookDeliverer, endpoint_client
from avtal.store.engine.clock import Clock, TestClock
from avtal.store.engine.database import Database
from avtal.store.opening import open_store
from avtal.store.queues.deliveries import Delivery
from avtal.store.queues.inbox import StoredCallback
from avtal.store.queues.outbox import OutboxMessage
from avtal.telemetry import REQUEST_TRACING, Telemetry, start_telemetry
from avtal.temporal_admin.connection import connect
from starter.commands import Commands

KEEP_ALIVE_SECONDS = 75
"""Longer than the usual minute of proxies and clients: they close idle connections, and never lose a request to it."""
THREADS = 4
"""For synchronous routes. AnyIO's default of 40 compete for the interpreter: measured with 32 clients that read access,
a request then costs 1.4 ms of processor time, against 1.0 ms."""
log = logging.getLogger("web")


class Web:
    """One web process: its routes, and the relays and the sweep that run beside them."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        client: Client,
        http: httpx.AsyncClient,
        publishers: httpx.AsyncClient,
    ) -> None:
        self._private_endpoints = settings.private_endpoints
        self._database = database
        self._client = client
        self._cipher = cipher_of(settings)
        self._clock: Clock = TestClock(database) if settings.test_clock else Clock()
        outbox = OutboxQueue(database, TemporalDispatcher(client, database, settings.task_queue).dispatch)
        self._outbox = Relay[OutboxMessage](outbox)
        inbox = InboxQueue(database, CallbackRecorder(database, self._cipher, http, self._outbox.wake).record)
        self._inbox = Relay[StoredCallback](inbox)
        deliveries = WebhookDeliverer(database, self._cipher, publishers, private_ok=settings.private_endpoints)
        self._deliveries = Relay[Delivery](deliveries, concurrency_max=DELIVERIES_MAX)
        self.queues = inbox, outbox, deliveries
        self._checked_queues = inbox, outbox
        """By readiness. Late deliveries do not count: a publisher's endpoint may be down for days."""
        reconciler = Reconciler(database, self._cipher, http, self._clock, self._outbox.wake)
        self._sweeps = SweepScheduler(database, reconciler, settings.reconcile_hours)
        self._has_sweeps = settings.reconcile_hours > 0

    def mount(self, app: FastAPI, parts: Collection[str]) -> None:
        if "callbacks" in parts:  # first: routes are tried in order, and most requests are callbacks
            app.include_router(receiver_router(Receiver(self._database, self._cipher, self._clock, self._inbox.wake)))
        app.include_router(index_page.router)
        app.include_router(
            health_router(
                {
                    "store": lambda: check_store(self._database),
                    "temporal": lambda: check_temporal(self._client),
                    "relay": self._check_relays,
                }
            )
        )
        if "api" in parts:
            app.include_router(api_router(self._api()))
        if "portal" in parts:
            app.mount(PORTAL_PREFIX, portal_app(Portal(self._database, self._clock, Clock())))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        relays = self._inbox, self._outbox, self._deliveries
        tasks = [asyncio.create_task(relay.run()) for relay in relays]
        sweeps = [asyncio.create_task(self._sweeps.run())] if self._has_sweeps else []
        yield
        for relay in relays:
            relay.stop()
        for task in sweeps:
            task.cancel()
        await asyncio.gather(*tasks, *sweeps, return_exceptions=True)

    def _api(self) -> Api:
        commands = Commands(self._client, self._database, self._clock)
        return Api(self._database, self._clock, commands, self._outbox.wake, self._cipher, self._private_endpoints)

    async def _check_relays(self) -> None:
        now = time.time()
        backlogs = {queue.name: await asyncio.to_thread(queue.backlog, now) for queue in self._checked_queues}
        last_polled_at = min(relay.last_polled_at for relay in (self._inbox, self._outbox, self._deliveries))
        problem = relay_problem(now - last_polled_at, backlogs)
        if problem is not None:
            raise NotReady(problem)


def create_app(settings: Settings, telemetry: Telemetry, parts: Collection[str] = WEB_PARTS) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        database = open_store(settings.store_url, test_clock=settings.test_clock)
        async with http_client() as http, endpoint_client() as publishers:
            client = await connect(lazy=True, plugins=telemetry.plugins)
            web = Web(settings, database, client, http, publishers)
            telemetry.serve_metrics(app, lambda: measure(web.queues))
            web.mount(app, parts)
            gc.freeze()  # the garbage collector then skips what lives as long as the process
            async with web.running():
                log.info("web started: %s on %s:%d", ", ".join(parts), settings.web_host, settings.web_port)
                yield
            database.close()
        log.info("web stopped")
        await telemetry.close()

    app = FastAPI(title="Avtal", lifespan=lifespan, telemetry=REQUEST_TRACING)
    install_problems(app)
    return app


def main(parts: Collection[str] = WEB_PARTS) -> None:
    tune_interpreter()
    settings = Settings()
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings, start_telemetry("web", settings), parts),
            host=settings.web_host,
            port=settings.web_port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
    )

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    # uvicorn handles signals only while it serves. This handles one during the start, and the one that uvicorn raises
    # again at its end: a stopped process exits with 0.
    signal.signal(signal.SIGTERM, stop)
    with suppress(KeyboardInterrupt):
        server.run()


if __name__ == "__main__":
    main()
