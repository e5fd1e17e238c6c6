"""The bare loop that renewals are compared with: a timer, then one activity that sends the same POST.

With duties it also does in Temporal what each renewal of ours does: its activity has a task queue of its own, and a
search attribute shows the next renewal. It stores nothing.

`python -m benchmarks.bare` runs its worker, with the SDK's default settings.
"""

import asyncio
import os
import signal
from datetime import datetime, timedelta

from temporalio import activity, workflow
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    import httpx
    import simplejson

    from avtal.billogram.transport import http_client
    from avtal.contracts.frozen import Frozen
    from avtal.temporal_admin.connection import connect
    from workflows.search_attributes import NEXT_RENEWAL

TASK_QUEUE = "bare"
DUTIES_QUEUE = "bare-posts"
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
            next_bill = bill.model_copy(update={"key": f"{bill.key}+", "due": bill.due + DAY})
            if bill.has_duties:
                workflow.upsert_search_attributes([NEXT_RENEWAL.value_set(next_bill.due)])
            await workflow.execute_activity_method(
                BareActivities.post,
                bill,
                task_queue=DUTIES_QUEUE if bill.has_duties else None,
                start_to_close_timeout=timedelta(seconds=15),
            )
            bill = next_bill


class BareActivities:
    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._url = os.environ["BARE_PLATFORM"]
        self._auth = httpx.BasicAuth(os.environ["BARE_USER"], os.environ["BARE_KEY"])
        self._headers = {"Accept": "application/json", "Content-Type": "application/json"}

    @activity.defn
    async def post(self, bill: BareBill) -> None:
        content = simplejson.dumps(_body(bill))
        response = await self._http.post(self._url, content=content, headers=self._headers, auth=self._auth)
        response.raise_for_status()
        simplejson.loads(response.text)


def _body(bill: BareBill) -> dict[str, object]:
    """A body of the same size as ours for a daily contract with one line."""
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


async def main() -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with http_client() as http:
        post = BareActivities(http).post
        client = await connect()
        loop = Worker(client, task_queue=TASK_QUEUE, workflows=[BareWorkflow], activities=[post])
        async with loop, Worker(client, task_queue=DUTIES_QUEUE, activities=[post]):
            await stopped.wait()


if __name__ == "__main__":
    asyncio.run(main())
