"""Composition root of the Temporal worker: creates clients, registers workflow and activities, runs until stopped.

Contracts and bills have a task queue each, so that a slow Billogram delays no contract.
"""

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

import httpx
import uvicorn
import uvloop
from fastapi import FastAPI
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

from activities.billing import BillingActivities
from activities.contracts import ContractActivities
from activities.platform_bills import PlatformBillActivities
from avtal.api.health import NotReady, check_store, check_temporal, health_router
from avtal.api.problems.handlers import install_problems
from avtal.billogram.transport import http_client
from avtal.config import Settings, cipher_of
from avtal.interpreter import tune_interpreter
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.database import Database
from avtal.store.opening import open_store
from avtal.telemetry import Telemetry, start_telemetry
from avtal.temporal_admin.connection import connect
from avtal.temporal_admin.queue_settings import limit_bills
from workflows.contract import ContractWorkflow
from workflows.messages import billing_queue

DEPLOYMENT = "avtal"
NO_SANDBOX = UnsandboxedWorkflowRunner()
"""Temporal's workflow sandbox would reload the contract's module for each of thousands of contracts, and wrap every
payload. tests/test_house.py refuses what it would refuse."""
GRACEFUL_SHUTDOWN = timedelta(seconds=10)

log = logging.getLogger("worker")


def workers(
    client: Client, settings: Settings, database: Database, cipher: Cipher, http: httpx.AsyncClient
) -> Sequence[Worker]:
    billing = BillingActivities(database, cipher, http, settings.renewals_per_second)
    platform_bills = PlatformBillActivities(database, cipher, http)
    contract_rows = ContractActivities(database)
    pollers = PollerBehaviorAutoscaling(
        maximum=settings.worker_pollers_max, initial=min(5, settings.worker_pollers_max)
    )
    contracts = Worker(
        client,
        task_queue=settings.task_queue,
        workflows=[ContractWorkflow],
        activities=[billing.void_bill, contract_rows.write_contract],
        workflow_runner=NO_SANDBOX,
        max_cached_workflows=settings.worker_contracts_cached_max,
        max_concurrent_workflow_tasks=settings.worker_contract_tasks_max,
        workflow_task_poller_behavior=pollers,
        activity_task_poller_behavior=pollers,
        graceful_shutdown_timeout=GRACEFUL_SHUTDOWN,
        deployment_config=deployment(settings.build_id),
    )
    bills = Worker(
        client,
        task_queue=billing_queue(settings.task_queue),
        activities=[billing.make_bill, platform_bills.verify_bill, platform_bills.withdraw_bill],
        max_concurrent_activities=settings.worker_bills_max,
        activity_task_poller_behavior=pollers,
        graceful_shutdown_timeout=GRACEFUL_SHUTDOWN,
        deployment_config=deployment(settings.build_id),
    )
    return contracts, bills


def deployment(build_id: str | None) -> WorkerDeploymentConfig | None:
    """Pinned: a run stays with the version that it started with."""
    if build_id is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(DEPLOYMENT, build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


def health_app(telemetry: Telemetry, database: Database, client: Client, run: Sequence[Worker]) -> FastAPI:
    async def check_worker() -> None:
        if not all(worker.is_running for worker in run):
            raise NotReady("does not poll for tasks")

    app = FastAPI(title="Avtal worker", docs_url=None, redoc_url=None, openapi_url=None)
    install_problems(app)
    telemetry.serve_metrics(app)
    checks = {
        "store": lambda: check_store(database),
        "temporal": lambda: check_temporal(client),
        "worker": check_worker,
    }
    app.include_router(health_router(checks))
    return app


class HealthServer(uvicorn.Server):
    """Leaves SIGINT and SIGTERM to the worker, whose health is served until it has stopped."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(app: FastAPI, listening: socket.socket) -> AsyncIterator[None]:
    server = HealthServer(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve([listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def listen(settings: Settings) -> socket.socket:
    address = (settings.worker_host, settings.worker_port)
    try:
        return socket.create_server(address)
    except OSError as error:
        raise SystemExit(
            f"the worker can't listen on {address[0]}:{address[1]}, AVTAL_WORKER_HOST and AVTAL_WORKER_PORT "
            f"({error.strerror}): stop what uses the port, or set another"
        ) from error


async def run(settings: Settings, telemetry: Telemetry, listening: socket.socket) -> None:
    database = open_store(settings.store_url, test_clock=settings.test_clock)
    async with http_client() as http:
        client = await connect(plugins=telemetry.plugins)
        await limit_bills(client, settings.task_queue, settings.bills_per_second_max)
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        contracts, bills = workers(client, settings, database, cipher_of(settings), http)
        health = health_app(telemetry, database, client, (contracts, bills))
        async with served(health, listening), bills, contracts:
            log.info(
                "worker started: task queue %s, health on %s:%d", settings.task_queue, *listening.getsockname()[:2]
            )
            await stopped.wait()
            log.info("worker stops after the running tasks")
    database.close()
    log.info("worker stopped")
    await telemetry.close()


def main() -> None:
    tune_interpreter()
    settings = Settings()
    telemetry = start_telemetry("worker", settings)
    with listen(settings) as listening:
        uvloop.run(run(settings, telemetry, listening))


if __name__ == "__main__":
    main()
