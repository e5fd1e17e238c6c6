"""What a process needs before it is ready: a store with the newest schema, and a Temporal that knows the namespace.

What is told of a trouble names no host, no user, and no secret.
"""

import asyncio

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from avtal.api.health.health import NotReady
from avtal.store.engine.database import Database
from avtal.store.engine.migrate import SchemaMismatch, check_schema


async def check_store(database: Database) -> None:
    try:
        await asyncio.to_thread(_check_schema, database)
    except SchemaMismatch as wrong:
        raise NotReady(str(wrong)) from wrong


async def check_temporal(client: Client) -> None:
    try:
        if not await client.service_client.check_health():
            raise NotReady("says that it is not serving")
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NotReady("has no such namespace; make it, or set TEMPORAL_NAMESPACE") from error
        raise NotReady(f"answers {error.status.name}") from error
    except RuntimeError as error:  # a lazy client's first connection
        raise NotReady("does not answer; see TEMPORAL_ADDRESS") from error


def _check_schema(database: Database) -> None:
    with database.read() as session:
        check_schema(session)
