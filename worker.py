"""The composition root of the Temporal worker: builds what the activities need, registers, runs until stopped.

Contracts and the making of bills have a queue each, so that a silent platform holds up no contract.
"""

import asyncio
import signal
from collections.abc import Sequence
from datetime import timedelta

import httpx
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import PollerBehaviorAutoscaling, Worker, WorkerDeploymentConfig

from activities.access import AccessActivities
from activities.asking import AskingActivities
from activities.billing import BillingActivities
from billogram.client import http_client
from config import Settings, cipher_of
from starter.connection import connect
from starter.queues import limit_bills
from store.cipher import Cipher
from store.database import Database
from workflows.contract import ContractWorkflow
from workflows.messages import billing_queue

DEPLOYMENT = "avtal"
STOPS_WITHIN = timedelta(seconds=10)


def workers(
    client: Client, settings: Settings, database: Database, cipher: Cipher, http: httpx.AsyncClient
) -> Sequence[Worker]:
    billing = BillingActivities(database, cipher, http)
    asking = AskingActivities(database, cipher, http)
    access = AccessActivities(database)
    pollers = PollerBehaviorAutoscaling(
        maximum=settings.worker_pollers_max, initial=min(5, settings.worker_pollers_max)
    )
    contracts = Worker(
        client,
        task_queue=settings.task_queue,
        workflows=[ContractWorkflow],
        activities=[billing.void_bill, access.tell_standing],
        max_cached_workflows=settings.worker_contracts_cached_max,
        max_concurrent_workflow_tasks=settings.worker_contract_tasks_max,
        workflow_task_poller_behavior=pollers,
        activity_task_poller_behavior=pollers,
        graceful_shutdown_timeout=STOPS_WITHIN,
        deployment_config=deployment(settings.build_id),
    )
    bills = Worker(
        client,
        task_queue=billing_queue(settings.task_queue),
        activities=[billing.make_bill, asking.read_bill, asking.withdraw_bill],
        max_concurrent_activities=settings.worker_bills_max,
        activity_task_poller_behavior=pollers,
        graceful_shutdown_timeout=STOPS_WITHIN,
        deployment_config=deployment(settings.build_id),
    )
    return contracts, bills


def deployment(build_id: str | None) -> WorkerDeploymentConfig | None:
    """Pinned: a run stays with the code that it began with."""
    if build_id is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(DEPLOYMENT, build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


async def run(settings: Settings) -> None:
    database = Database(settings.store_url)
    async with http_client() as http:
        client = await connect()
        await limit_bills(client, settings.task_queue, settings.bills_per_second_max)
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        contracts, bills = workers(client, settings, database, cipher_of(settings), http)
        async with bills, contracts:
            await stopped.wait()
    database.close()


def main() -> None:
    asyncio.run(run(Settings()))


if __name__ == "__main__":
    main()
