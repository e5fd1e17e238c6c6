"""Prepares Temporal's namespace: creates it, sets its retention, registers the search attributes.

What exists is only read. So a repeat changes nothing, and needs no right to write.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.enums.v1 import IndexedValueType, TaskQueueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    DescribeWorkerDeploymentRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from workflows.messages import billing_queue
from workflows.search_attributes import SEARCH_ATTRIBUTES

RETENTION = timedelta(hours=72)
"""How long a closed workflow's history can be read. The store has no such limit."""
PROPAGATION_SECONDS_MAX = 60.0
POLL_SECONDS = 0.2
RPC_TIMEOUT = timedelta(seconds=5)
POLLER_AGE_MAX = timedelta(minutes=2)
"""A worker polls at least once a minute. The server lists it until five minutes after its last poll."""

REFUSED = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED)
REFUSED_ON_CONNECT = ("PermissionDenied", "Unauthenticated")
UNREACHABLE = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
QUEUE_TYPES = (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)

AttributeTypes = Mapping[str, int]
"""Numbers of `IndexedValueType`, by the search attribute's name."""


class NamespaceError(RuntimeError):
    """The namespace can't be used as it is. The text is one line for the operator."""


class TemporalUnreachable(NamespaceError):
    """Temporal does not respond; it may later."""


def task_queues(name: str) -> tuple[str, ...]:
    """The queues that workers poll. The contracts' own is first."""
    return (name, billing_queue(name))


async def prepare_namespace(client: Client, retention: timedelta | None = None) -> list[str]:
    """Returns the changes as lines of text. Without `retention`, an existing namespace keeps its own.

    Raises NamespaceError.
    """
    changes = await _create_or_update(client, retention)
    known = await _wait_for_attributes(client, lambda types: types is not None)
    missing = missing_attributes(known)
    if missing:
        await _register(client, missing)
        await _wait_for_attributes(client, lambda types: types is not None and not missing_attributes(types))
        changes.append(f"registered {', '.join(missing)}")
    return changes


async def retention_of(client: Client) -> timedelta | None:
    """None if the namespace does not exist. Raises NamespaceError."""
    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        with _readable_errors(client):
            found = await client.workflow_service.describe_namespace(request, timeout=RPC_TIMEOUT)
    except RPCError as error:
        _check_not_found(error)
        return None
    return found.config.workflow_execution_retention_ttl.ToTimedelta()


async def known_attributes(client: Client) -> AttributeTypes | None:
    """None if the namespace does not exist. Raises NamespaceError."""
    request = ListSearchAttributesRequest(namespace=client.namespace)
    try:
        with _readable_errors(client):
            found = await client.operator_service.list_search_attributes(request, timeout=RPC_TIMEOUT)
    except RPCError as error:
        _check_not_found(error)
        return None
    return dict(found.custom_attributes)


def missing_attributes(known: AttributeTypes) -> dict[str, int]:
    """Those that are not registered. Raises NamespaceError if one is registered with another type."""
    wanted = {key.name: int(key.indexed_value_type) for key in SEARCH_ATTRIBUTES}
    for name, kind in wanted.items():
        if known.get(name, kind) != kind:
            raise NamespaceError(
                f"the search attribute {name} is registered as {_type_name(known[name])}, and Avtal needs "
                f"{_type_name(kind)}: remove it (`temporal operator search-attribute remove --name {name}`) or use "
                "another namespace"
            )
    return {name: kind for name, kind in wanted.items() if name not in known}


async def is_polled(client: Client, queue: str) -> bool:
    """Whether a worker polled it recently. Raises NamespaceError."""
    try:
        with _readable_errors(client):
            pollers = await asyncio.gather(*(_pollers(client, queue, kind) for kind in QUEUE_TYPES))
    except RPCError as error:
        _check_not_found(error)
        return False
    return any(datetime.now(UTC) - seen < POLLER_AGE_MAX for seen in (*pollers[0], *pollers[1]))


async def current_version(client: Client, deployment: str) -> str | None:
    """The build id of the worker deployment that starts new workflows, if one is set. Raises NamespaceError."""
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=deployment)
    try:
        with _readable_errors(client):
            found = await client.workflow_service.describe_worker_deployment(request, timeout=RPC_TIMEOUT)
    except RPCError as error:
        _check_not_found(error)
        return None
    return found.worker_deployment_info.routing_config.current_deployment_version.build_id or None


async def _pollers(client: Client, queue: str, kind: "TaskQueueType.ValueType") -> list[datetime]:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
    )
    found = await client.workflow_service.describe_task_queue(request, timeout=RPC_TIMEOUT)
    return [poller.last_access_time.ToDatetime(tzinfo=UTC) for poller in found.pollers]


async def _create_or_update(client: Client, retention: timedelta | None) -> list[str]:
    current = await retention_of(client)
    if current is None:
        initial = retention or RETENTION
        request = RegisterNamespaceRequest(namespace=client.namespace)
        request.workflow_execution_retention_period.FromTimedelta(initial)
        await _write(client, client.workflow_service.register_namespace(request, timeout=RPC_TIMEOUT))
        return [f"created the namespace {client.namespace} with a retention of {hours(initial)}"]
    if retention is None or retention == current:
        return []
    change = UpdateNamespaceRequest(namespace=client.namespace)
    change.config.workflow_execution_retention_ttl.FromTimedelta(retention)
    await _write(client, client.workflow_service.update_namespace(change, timeout=RPC_TIMEOUT))
    return [f"changed the retention of {client.namespace} from {hours(current)} to {hours(retention)}"]


async def _register(client: Client, missing: AttributeTypes) -> None:
    typed: dict[str, Any] = dict(missing)  # Any: the generated code has a type of its own for the numbers
    request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=typed)
    await _write(client, client.operator_service.add_search_attributes(request, timeout=RPC_TIMEOUT))


async def _write(client: Client, call: Awaitable[object]) -> None:
    """An existing object is not an error: another process may create it at this moment."""
    try:
        with _readable_errors(client):
            await call
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise NamespaceError(f"Temporal refused: {error.message}") from error


async def _wait_for_attributes(client: Client, is_enough: Callable[[AttributeTypes | None], bool]) -> AttributeTypes:
    """The server's parts see a change one after the other, some of them after ten seconds."""
    deadline = time.monotonic() + PROPAGATION_SECONDS_MAX
    while True:
        known = await known_attributes(client)
        if is_enough(known):
            return known or {}
        if time.monotonic() > deadline:
            raise TemporalUnreachable(
                f"Temporal does not have the new search attributes after {PROPAGATION_SECONDS_MAX:.0f} s"
            )
        await asyncio.sleep(POLL_SECONDS)


@contextmanager
def _readable_errors(client: Client) -> Iterator[None]:
    """Raises refusals and unreachability as NamespaceError. Other errors pass."""
    address = client.service_client.config.target_host
    try:
        yield
    except RPCError as error:
        if error.status in REFUSED:
            raise _refused(address) from error
        if error.status in UNREACHABLE:
            raise TemporalUnreachable(f"Temporal does not respond at {address} ({error.status.name})") from error
        raise
    except RuntimeError as error:  # what the SDK raises when it can't connect at all
        if any(word in str(error) for word in REFUSED_ON_CONNECT):
            raise _refused(address) from error
        raise TemporalUnreachable(f"Temporal does not respond at {address}; is TEMPORAL_ADDRESS right?") from error


def _refused(address: str) -> NamespaceError:
    return NamespaceError(f"Temporal at {address} refuses the credentials: check TEMPORAL_API_KEY or TEMPORAL_TLS_…")


def _check_not_found(error: RPCError) -> None:
    if error.status is not RPCStatusCode.NOT_FOUND:
        raise NamespaceError(f"Temporal refused: {error.message}") from error


def _type_name(kind: int) -> str:
    return IndexedValueType.Name(kind).removeprefix("INDEXED_VALUE_TYPE_").title().replace("_", "")  # type: ignore[arg-type] # any number


def hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):g} h"
