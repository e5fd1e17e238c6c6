"""Preparing a namespace on the real server, and how that can fail."""

import asyncio
import uuid
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client

from avtal.temporal_admin.namespace import (
    RETENTION,
    NamespaceError,
    TemporalUnreachable,
    is_polled,
    known_attributes,
    missing_attributes,
    prepare_namespace,
    retention_of,
)
from tests.temporal_admin.refusing_server import refusing_server
from workflows.search_attributes import SEARCH_ATTRIBUTES, STATUS

UNAUTHENTICATED, PERMISSION_DENIED = 16, 7


async def client_of(address: str, namespace: str = "") -> Client:
    return await Client.connect(address, namespace=namespace or f"n-{uuid.uuid4().hex}", lazy=True)


async def test_a_new_namespace_gets_its_attributes_and_a_repeat_changes_nothing(temporal: str) -> None:
    client = await client_of(temporal)
    before = (await retention_of(client), await known_attributes(client))
    first = await prepare_namespace(client)
    second = await prepare_namespace(client)
    known = await known_attributes(client)

    assert before == (None, None)
    assert first == [
        f"created the namespace {client.namespace} with a retention of 72 h",
        f"registered {', '.join(attribute.name for attribute in SEARCH_ATTRIBUTES)}",
    ]
    assert second == []
    assert await retention_of(client) == RETENTION
    assert known is not None
    assert missing_attributes(known) == {}


async def test_two_processes_can_prepare_a_namespace_in_parallel(temporal: str) -> None:
    client = await client_of(temporal)
    await asyncio.gather(prepare_namespace(client), prepare_namespace(client))

    assert await prepare_namespace(client) == []


async def test_an_existing_namespace_keeps_its_retention_unless_one_is_given(temporal: str) -> None:
    client = await client_of(temporal)
    await prepare_namespace(client, timedelta(hours=30))
    unchanged = await prepare_namespace(client)
    changed = await prepare_namespace(client, timedelta(days=7))

    assert unchanged == []
    assert changed == [f"changed the retention of {client.namespace} from 30 h to 168 h"]
    assert await retention_of(client) == timedelta(days=7)


async def test_an_attribute_of_another_type_is_an_error_and_stays(temporal: str) -> None:
    client = await client_of(temporal)
    await prepare_namespace(client)
    other = await client_of(temporal)
    await register(other, {STATUS.name: IndexedValueType.INDEXED_VALUE_TYPE_INT})

    with pytest.raises(NamespaceError, match=r"AvtalStatus is registered as Int, and Avtal needs Keyword: remove it"):
        await prepare_namespace(other)


async def register(client: Client, attributes: "dict[str, IndexedValueType.ValueType]") -> None:
    """In a new namespace, as soon as the server has it."""
    request = RegisterNamespaceRequest(namespace=client.namespace)
    request.workflow_execution_retention_period.FromTimedelta(RETENTION)
    await client.workflow_service.register_namespace(request)
    while await known_attributes(client) is None:  # noqa: ASYNC110 - the server offers no event to wait for
        await asyncio.sleep(0.1)
    wanted = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=attributes)
    await client.operator_service.add_search_attributes(wanted)


@pytest.mark.parametrize("status", [UNAUTHENTICATED, PERMISSION_DENIED])
async def test_refused_credentials_are_not_unreachability(status: int) -> None:
    with refusing_server(status) as port:
        client = await client_of(f"127.0.0.1:{port}")

        with pytest.raises(NamespaceError, match="refuses the credentials") as refused:
            await prepare_namespace(client)
        assert not isinstance(refused.value, TemporalUnreachable)


async def test_an_unreachable_address_is_named() -> None:
    client = await client_of("127.0.0.1:1")

    with pytest.raises(TemporalUnreachable, match=r"does not respond at 127\.0\.0\.1:1"):
        await prepare_namespace(client)


async def test_a_queue_without_workers_is_not_polled(temporal: str) -> None:
    for namespace in ("default", "nowhere"):
        assert not await is_polled(await client_of(temporal, namespace), "nobody")


def test_only_unregistered_attributes_are_missing() -> None:
    known = {attribute.name: int(attribute.indexed_value_type) for attribute in SEARCH_ATTRIBUTES[1:]}

    assert [*missing_attributes(known)] == [SEARCH_ATTRIBUTES[0].name]
