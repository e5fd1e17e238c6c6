"""Temporal's namespace made ready for contracts: it is there, it keeps what has closed, it knows our search attributes.

What is there already is only read, so that a repeat changes nothing and needs no right to write.
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
"""How long a closed contract's history stays to be looked at; the store remembers for ever."""
KNOWN_WITHIN_SECONDS = 60.0
LOOK_SECONDS = 0.2
RPC_TIMEOUT = timedelta(seconds=5)
POLLED_LATELY = timedelta(minutes=2)
"""A worker asks at least once a minute; the server lists it for five after it has gone."""

REFUSALS = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED)
SILENCES = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
REFUSED_AT_CONNECTING = ("PermissionDenied", "Unauthenticated")
QUEUE_TYPES = (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)

Types = Mapping[str, int]
"""Search attributes by name: numbers of `IndexedValueType`."""


class NamespaceError(RuntimeError):
    """The namespace can't be used as it is; says in one line what is the matter."""


class TemporalUnreachable(NamespaceError):
    """Temporal does not answer; it may later."""


def task_queues(name: str) -> tuple[str, ...]:
    """The queues that workers poll, the contracts' own first."""
    return (name, billing_queue(name))


async def prepare_namespace(client: Client, retention: timedelta | None = None) -> list[str]:
    """What was done, in words; nothing if all was there. Without `retention` one that is there keeps its own.

    Raises NamespaceError.
    """
    done = await _make_or_keep(client, retention)
    known = await _eventually(client, lambda types: types is not None)
    missing = missing_attributes(known)
    if missing:
        await _add(client, missing)
        await _eventually(client, lambda types: types is not None and not missing_attributes(types))
        done.append(f"registered {', '.join(missing)}")
    return done


async def retention_of(client: Client) -> timedelta | None:
    """None if there is no such namespace. Raises NamespaceError."""
    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        with _in_words(client):
            found = await client.workflow_service.describe_namespace(request, timeout=RPC_TIMEOUT)
    except RPCError as error:
        _check_not_found(error)
        return None
    return found.config.workflow_execution_retention_ttl.ToTimedelta()


async def known_attributes(client: Client) -> Types | None:
    """None if there is no such namespace. Raises NamespaceError."""
    request = ListSearchAttributesRequest(namespace=client.namespace)
    try:
        with _in_words(client):
            found = await client.operator_service.list_search_attributes(request, timeout=RPC_TIMEOUT)
    except RPCError as error:
        _check_not_found(error)
        return None
    return dict(found.custom_attributes)


def missing_attributes(known: Types) -> dict[str, int]:
    """Ours that are not registered. Raises NamespaceError if one is, with another type."""
    wanted = {key.name: int(key.indexed_value_type) for key in SEARCH_ATTRIBUTES}
    for name, kind in wanted.items():
        if known.get(name, kind) != kind:
            raise NamespaceError(
                f"the search attribute {name} is registered as {_word(known[name])}, and Avtal needs {_word(kind)}: "
                f"remove it (`temporal operator search-attribute remove --name {name}`) or use another namespace"
            )
    return {name: kind for name, kind in wanted.items() if name not in known}


async def is_polled(client: Client, queue: str) -> bool:
    """Whether a worker asked for work there lately. Raises NamespaceError."""
    try:
        with _in_words(client):
            answers = await asyncio.gather(*(_pollers(client, queue, kind) for kind in QUEUE_TYPES))
    except RPCError as error:
        _check_not_found(error)
        return False
    return any(datetime.now(UTC) - seen < POLLED_LATELY for seen in (*answers[0], *answers[1]))


async def current_version(client: Client, deployment: str) -> str | None:
    """The build id of the worker code that new contracts begin with, if any is named. Raises NamespaceError."""
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=deployment)
    try:
        with _in_words(client):
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


async def _make_or_keep(client: Client, retention: timedelta | None) -> list[str]:
    present = await retention_of(client)
    if present is None:
        kept = retention or RETENTION
        request = RegisterNamespaceRequest(namespace=client.namespace)
        request.workflow_execution_retention_period.FromTimedelta(kept)
        await _write(client, client.workflow_service.register_namespace(request, timeout=RPC_TIMEOUT))
        return [f"made the namespace {client.namespace}, which keeps what has closed for {hours(kept)}"]
    if retention is None or retention == present:
        return []
    change = UpdateNamespaceRequest(namespace=client.namespace)
    change.config.workflow_execution_retention_ttl.FromTimedelta(retention)
    await _write(client, client.workflow_service.update_namespace(change, timeout=RPC_TIMEOUT))
    return [f"changed what {client.namespace} keeps of what has closed from {hours(present)} to {hours(retention)}"]


async def _add(client: Client, missing: Types) -> None:
    typed: dict[str, Any] = dict(missing)  # Any: the generated code has a type of its own for the numbers
    request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=typed)
    await _write(client, client.operator_service.add_search_attributes(request, timeout=RPC_TIMEOUT))


async def _write(client: Client, call: Awaitable[object]) -> None:
    """Another process may do the same at this moment: what is there already is no error."""
    try:
        with _in_words(client):
            await call
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise NamespaceError(f"Temporal refused: {error.message}") from error


async def _eventually(client: Client, is_enough: Callable[[Types | None], bool]) -> Types:
    """The server's parts learn of a change one after the other, some of them after ten seconds."""
    deadline = time.monotonic() + KNOWN_WITHIN_SECONDS
    while True:
        known = await known_attributes(client)
        if is_enough(known):
            return known or {}
        if time.monotonic() > deadline:
            raise TemporalUnreachable(
                f"Temporal does not know the new search attributes after {KNOWN_WITHIN_SECONDS:.0f} s"
            )
        await asyncio.sleep(LOOK_SECONDS)


@contextmanager
def _in_words(client: Client) -> Iterator[None]:
    """Silence and refusals as they are told to people; other errors pass."""
    address = client.service_client.config.target_host
    try:
        yield
    except RPCError as error:
        if error.status in REFUSALS:
            raise _refused(address) from error
        if error.status in SILENCES:
            raise TemporalUnreachable(f"Temporal does not answer at {address} ({error.status.name})") from error
        raise
    except RuntimeError as error:  # what the SDK raises when it can't connect at all
        if any(word in str(error) for word in REFUSED_AT_CONNECTING):
            raise _refused(address) from error
        raise TemporalUnreachable(f"Temporal does not answer at {address}; is TEMPORAL_ADDRESS right?") from error


def _refused(address: str) -> NamespaceError:
    return NamespaceError(f"Temporal at {address} refuses the credentials: check TEMPORAL_API_KEY or TEMPORAL_TLS_…")


def _check_not_found(error: RPCError) -> None:
    if error.status is not RPCStatusCode.NOT_FOUND:
        raise NamespaceError(f"Temporal refused: {error.message}") from error


def _word(kind: int) -> str:
    return IndexedValueType.Name(kind).removeprefix("INDEXED_VALUE_TYPE_").title().replace("_", "")  # type: ignore[arg-type] # any number


def hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):g} h"
