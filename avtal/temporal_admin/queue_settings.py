"""Limits how fast bills are created for one account. Temporal's server enforces it across all workers."""

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import RateLimit
from temporalio.api.workflowservice.v1 import UpdateTaskQueueConfigRequest
from temporalio.client import Client

from workflows.messages import billing_queue


async def limit_bills(client: Client, task_queue: str, per_second_max: float | None) -> None:
    """The same for every account; None removes the limit. Requires fairness on the server. Raises RPCError."""
    limit = None if per_second_max is None else RateLimit(requests_per_second=per_second_max)
    await client.workflow_service.update_task_queue_config(
        UpdateTaskQueueConfigRequest(
            namespace=client.namespace,
            identity=client.identity,
            task_queue=billing_queue(task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            update_fairness_key_rate_limit_default=UpdateTaskQueueConfigRequest.RateLimitUpdate(
                rate_limit=limit, reason="AVTAL_BILLS_PER_SECOND_MAX"
            ),
        )
    )
