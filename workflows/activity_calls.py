"""How the workflow calls its activities: on which queue, with which timeouts, and how often they are retried."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy

with workflow.unsafe.imports_passed_through():
    from avtal.contracts.bills.bill import BillSnapshot
    from workflows.messages import billing_queue

ATTEMPT_TIMEOUT = timedelta(seconds=15)
PLATFORM_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), backoff_coefficient=1.0, maximum_attempts=3)
"""Three attempts a second apart; then the contract retries by its own, longer delays."""
STORE_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))

Input = TypeVar("Input")


async def at_platform(
    account: str, activity: Callable[[Any, Input], Awaitable[BillSnapshot]], request: Input, summary: str
) -> BillSnapshot:  # Any: the class that holds the activity
    """On the billing queue, which accounts share fairly. Raises ActivityError after the last attempt."""
    return await workflow.execute_activity_method(
        activity,
        request,
        task_queue=billing_queue(workflow.info().task_queue),
        priority=Priority(fairness_key=account),
        start_to_close_timeout=ATTEMPT_TIMEOUT,
        retry_policy=PLATFORM_RETRY,
        summary=summary,
    )


async def in_store(activity: Callable[[Any, Input], Awaitable[None]], request: Input, summary: str) -> None:
    """Retried until the store accepts it. Any: the class that holds the activity."""
    await workflow.execute_activity_method(
        activity, request, start_to_close_timeout=ATTEMPT_TIMEOUT, retry_policy=STORE_RETRY, summary=summary
    )
