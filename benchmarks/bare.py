"""The bare loop that renewals are measured against: a timer, then one activity that makes the same POST. Nothing else.

With duties it has besides what each renewal of ours must, of Temporal and no more: its activity goes through a queue of
its own, where accounts can take their turns, and the next renewal is shown in a search attribute. It stores nothing.

`python -m benchmarks.bare` is its worker, with the SDK's default settings, as a process of its own.
"""

import asyncio
import os
import signal
from datetime import datetime, timedelta

from temporalio import activity, workflow
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    import aiohttp
    import simplejson

    from avtal.billogram.client import http_client
    from avtal.contracts.frozen import Frozen
    from avtal.temporal_admin.connection import connect
    from workflows.search_attributes import NEXT_RENEWAL

TASK_QUEUE = "bare"
QUEUE_OF_DUTIES = "bare-posts"
DAY = timedelta(days=1)


class BareBill(Frozen):
    """The next of a contract's daily bills; `key` is unique at the platform."""

    key: str
    has_duties: bool
    customer_no: int
    due: datetime


@workflow.defn
class BareWorkflow:
    @workflow.run
    async def run(self, bill: BareBill) -> None:
        while True:
            await workflow.sleep(max(bill.due - workflow.now(), timedelta()))
            following = bill.model_copy(update={"key": f"{bill.key}+", "due": bill.due + DAY})
            if bill.has_duties:
                workflow.upsert_search_attributes([NEXT_RENEWAL.value_set(following.due)])
            await workflow.execute_activity_method(
                BareActivities.post,
                bill,
                task_queue=QUEUE_OF_DUTIES if bill.has_duties else None,
                start_to_close_timeout=timedelta(seconds=15),
            )
            bill = following


class BareActivities:
    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._url = os.environ["BARE_PLATFORM"]
        self._headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Authorization": aiohttp.encode_basic_auth(os.environ["BARE_USER"], os.environ["BARE_KEY"]),
        }

    @activity.defn
    async def post(self, bill: BareBill) -> None:
        content = simplejson.dumps(_body(bill))
        async with self._http.post(self._url, data=content, headers=self._headers) as answer:
            answer.raise_for_status()
            simplejson.loads(await answer.text())


def _body(bill: BareBill) -> dict[str, object]:
    """As long as ours of a daily contract with one line."""
    day = bill.due.date().isoformat()
    row = {"title": "Global Medium", "description": f"{day} – {day}", "unit": "unit"}
    return {
        "customer": {"customer_no": bill.customer_no},
        "items": [row | {"count": 1, "price": 316.00, "discount": 0.00, "vat": 25}],
        "currency": "SEK",
        "due_days": 30,
        "creditor_unique_value": bill.key,
        "callbacks": {"custom": f"bare {bill.key}"},
        "invoice_date": day,
        "on_success": {"command": "send", "method": "Email"},
    }


async def work() -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with http_client() as http:
        post = BareActivities(http).post
        client = await connect()
        loop = Worker(client, task_queue=TASK_QUEUE, workflows=[BareWorkflow], activities=[post])
        async with loop, Worker(client, task_queue=QUEUE_OF_DUTIES, activities=[post]):
            await stopped.wait()


if __name__ == "__main__":
    asyncio.run(work())
