"""The bare loop that renewals are measured against: a timer, then one activity that makes the same POST. Nothing else.

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

    from billogram.client import http_client
    from contracts.record import Record
    from starter.connection import connect

TASK_QUEUE = "bare"


class BareBill(Record):
    """`key` is unique at the platform."""

    key: str
    customer_no: int
    due: datetime
    day: str


@workflow.defn
class BareWorkflow:
    @workflow.run
    async def run(self, bill: BareBill) -> None:
        await workflow.sleep(max(bill.due - workflow.now(), timedelta()))
        await workflow.execute_activity_method(BareActivities.post, bill, start_to_close_timeout=timedelta(seconds=15))


class BareActivities:
    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._answers = os.open(os.environ["BARE_ANSWERS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
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
            await answer.json()
        os.write(self._answers, b".")


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
        activities = BareActivities(http)
        worker = Worker(await connect(), task_queue=TASK_QUEUE, workflows=[BareWorkflow], activities=[activities.post])
        async with worker:
            await stopped.wait()


if __name__ == "__main__":
    asyncio.run(work())
