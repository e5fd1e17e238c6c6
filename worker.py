"""The composition root of the Temporal worker: builds what the activities need, registers, runs until stopped."""

import asyncio
import signal
from datetime import timedelta

import httpx
from temporalio.client import Client
from temporalio.worker import Worker

from activities.access import AccessActivities
from activities.billing import BillingActivities
from billogram.client import http_client
from config import Settings, cipher_of
from starter.connection import connect
from store.cipher import Cipher
from store.database import Database
from workflows.contract import ContractWorkflow

STOPS_WITHIN = timedelta(seconds=10)


def contract_worker(
    client: Client, task_queue: str, database: Database, cipher: Cipher, http: httpx.AsyncClient
) -> Worker:
    billing = BillingActivities(database, cipher, http)
    access = AccessActivities(database)
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[ContractWorkflow],
        activities=[billing.make_bill, billing.void_bill, access.tell_standing],
        graceful_shutdown_timeout=STOPS_WITHIN,
    )


async def run(settings: Settings) -> None:
    database = Database(settings.store_url)
    async with http_client() as http:
        client = await connect()
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        async with contract_worker(client, settings.task_queue, database, cipher_of(settings), http):
            await stopped.wait()
    database.close()


def main() -> None:
    asyncio.run(run(Settings()))


if __name__ == "__main__":
    main()
