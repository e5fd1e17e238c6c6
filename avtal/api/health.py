"""Liveness and readiness, without a key. Readiness checks what the process needs: its store, Temporal, and its own
work. What it reports names no host, no user, and no secret."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from avtal.api.problems.problems import NOT_READY, Problem, problem_responses
from avtal.store.engine.database import Database
from avtal.store.engine.migrate import SchemaMismatch, check_schema
from starter.errors import FieldError

CHECK_SECONDS_MAX = 3.0

Check = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


class NotReady(Exception):
    """Anyone may read its text."""


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    """`checks` by the name of the part; each raises if its part is not ready."""
    router = APIRouter(tags=["health"])
    reported: dict[str, FieldError | None] = {}

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process is up."""
        return {"status": "ok"}

    @router.get("/readyz", responses=problem_responses(503))
    async def readyz() -> dict[str, str]:
        """Everything that the process needs is ready."""
        results = await asyncio.gather(*(_run(name, check) for name, check in checks.items()))
        for name, error in zip(checks, results, strict=True):
            _log_change(name, reported.get(name), error)
            reported[name] = error
        if errors := [error for error in results if error]:
            parts = "; ".join(f"{error.pointer.removeprefix('/')} {error.detail}" for error in errors)
            raise Problem(NOT_READY, f"not ready: {parts}", errors)
        return {"status": "ready"}

    return router


async def check_store(database: Database) -> None:
    try:
        await asyncio.to_thread(_check_schema, database)
    except SchemaMismatch as mismatch:
        raise NotReady(str(mismatch)) from mismatch


async def check_temporal(client: Client) -> None:
    try:
        if not await client.service_client.check_health():
            raise NotReady("is not serving")
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NotReady("has no such namespace; create it, or set TEMPORAL_NAMESPACE") from error
        raise NotReady(f"responds {error.status.name}") from error
    except RuntimeError as error:  # a lazy client's first connection
        raise NotReady("does not respond; see TEMPORAL_ADDRESS") from error


async def _run(name: str, check: Check) -> FieldError | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS_MAX):
            await check()
    except NotReady as error:
        return FieldError(f"/{name}", str(error))
    except Exception as error:  # its own text may name hosts and users
        return FieldError(f"/{name}", f"does not respond ({type(error).__name__})")
    return None


def _log_change(name: str, before: FieldError | None, now: FieldError | None) -> None:
    """Only changes: probes come every few seconds."""
    if now is not None and now != before:
        log.warning("%s is not ready: %s", name, now.detail)
    elif before is not None and now is None:
        log.info("%s is ready again", name)


def _check_schema(database: Database) -> None:
    with database.read() as session:
        check_schema(session)
