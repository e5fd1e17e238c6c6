"""The bare loop that renewals are measured against: a timer, then one activity that makes the same POST. Nothing else.

With duties it does besides what every renewal of ours must, at the least that it costs: the activity has a queue of its
own, where accounts take turns; a row is stored before the POST and another one after it; and a search attribute is set.

`python -m benchmarks.bare` is its worker, with the SDK's default settings, as a process of its own.
"""

import asyncio
import os
import signal
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta

from temporalio import activity, workflow
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    import aiohttp
    import simplejson

    from billogram.client import http_client
    from contracts.record import Record
    from starter.connection import connect
    from workflows.attributes import NEXT_RENEWAL

TASK_QUEUE = "bare"
QUEUE_OF_DUTIES = "bare-posts"


class BareBill(Record):
    """`key` is unique at the platform."""

    key: str
    has_duties: bool
    customer_no: int
    due: datetime
    day: str


@workflow.defn
class BareWorkflow:
    @workflow.run
    async def run(self, bill: BareBill) -> None:
        await workflow.sleep(max(bill.due - workflow.now(), timedelta()))
        await workflow.execute_activity_method(
            BareActivities.post,
            bill,
            task_queue=QUEUE_OF_DUTIES if bill.has_duties else None,
            start_to_close_timeout=timedelta(seconds=15),
        )
        if bill.has_duties:
            workflow.upsert_search_attributes([NEXT_RENEWAL.value_set(workflow.now() + timedelta(days=1))])


class BareActivities:
    def __init__(self, http: aiohttp.ClientSession, rows: sqlite3.Connection) -> None:
        self._http = http
        self._rows = rows
        self._writing = asyncio.Lock()
        self._answers = os.open(os.environ["BARE_ANSWERS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._url = os.environ["BARE_PLATFORM"]
        self._headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Authorization": aiohttp.encode_basic_auth(os.environ["BARE_USER"], os.environ["BARE_KEY"]),
        }

    @activity.defn
    async def post(self, bill: BareBill) -> None:
        if bill.has_duties:
            await self._store(bill, "asked")
        content = simplejson.dumps(_body(bill))
        async with self._http.post(self._url, data=content, headers=self._headers) as answer:
            answer.raise_for_status()
            answered = await answer.text()
            simplejson.loads(answered)
        if bill.has_duties:
            await self._store(bill, answered)
        os.write(self._answers, b".")

    async def _store(self, bill: BareBill, what: str) -> None:
        async with self._writing:
            await asyncio.to_thread(self._rows.execute, "INSERT INTO rows VALUES (?, ?)", (bill.key, what))


def _body(bill: BareBill) -> dict[str, object]:
    """As long as ours of a daily contract with one line."""
    row = {"title": "Global Medium", "description": f"{bill.day} – {bill.day}", "unit": "unit"}
    return {
        "customer": {"customer_no": bill.customer_no},
        "items": [row | {"count": 1, "price": 316.00, "discount": 0.00, "vat": 25}],
        "currency": "SEK",
        "due_days": 30,
        "creditor_unique_value": bill.key,
        "callbacks": {"custom": f"bare {bill.key}"},
        "invoice_date": bill.day,
        "on_success": {"command": "send", "method": "Email"},
    }


async def work() -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with http_client() as http:
        with closing(store_of_rows(f"{os.environ['BARE_ANSWERS']}.db")) as rows:
            activities = BareActivities(http, rows)
            client = await connect()
            bare = Worker(client, task_queue=TASK_QUEUE, workflows=[BareWorkflow], activities=[activities.post])
            async with bare, Worker(client, task_queue=QUEUE_OF_DUTIES, activities=[activities.post]):
                await stopped.wait()


def store_of_rows(file: str) -> sqlite3.Connection:
    """Each write is a transaction that is on the disk when it returns, as ours are."""
    rows = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    rows.execute("PRAGMA journal_mode=WAL")
    rows.execute("PRAGMA synchronous=FULL")
    rows.execute("CREATE TABLE IF NOT EXISTS rows (key, what)")
    return rows


if __name__ == "__main__":
    asyncio.run(work())
