"""Checks of Temporal: server, namespace, search attributes, workers."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from avtal.cli.doctor.installation import RESPONSE_TIMEOUT_SECONDS, CheckFailed, CheckSkipped, Installation
from avtal.temporal_admin.namespace import (
    NamespaceError,
    current_version,
    hours,
    is_polled,
    known_attributes,
    missing_attributes,
    retention_of,
)
from worker import DEPLOYMENT
from workflows.search_attributes import SEARCH_ATTRIBUTES

RETENTION_MIN = timedelta(hours=24)
PREPARE = "run `avtal migrate --temporal`"
PREPARE_LONGER = "run `avtal migrate --temporal --retention 72h`"

T = TypeVar("T")


async def check_temporal(installation: Installation) -> str:
    address = installation.client.service_client.config.target_host
    try:
        async with asyncio.timeout(RESPONSE_TIMEOUT_SECONDS):
            await retention_of(installation.client)
    except NamespaceError as error:
        raise CheckFailed(str(error), "check that the server runs, and see its log") from error
    except TimeoutError as error:
        raise CheckFailed(f"{address} does not respond", "check TEMPORAL_ADDRESS and the server") from error
    return f"responds at {address}"


async def check_namespace(installation: Installation) -> str:
    name = installation.client.namespace
    retention = await _of_temporal(retention_of(installation.client))
    if retention is None:
        raise CheckFailed(f"there is no namespace {name}", f"check TEMPORAL_NAMESPACE, or {PREPARE}")
    if retention < RETENTION_MIN:
        raise CheckFailed(f"{name} keeps closed contracts for only {hours(retention)}", PREPARE_LONGER)
    return f"{name} keeps closed contracts for {hours(retention)}"


async def check_search_attributes(installation: Installation) -> str:
    known = await _of_temporal(known_attributes(installation.client))
    if known is None:
        raise CheckSkipped("there is no namespace")
    try:
        missing = missing_attributes(known)
    except NamespaceError as error:
        raise CheckFailed(str(error), "contracts can't start until this is fixed") from error
    if missing:
        raise CheckFailed(f"{', '.join(missing)} not registered; contracts can't start", PREPARE)
    return f"all {len(SEARCH_ATTRIBUTES)} are registered"


async def check_worker(installation: Installation, queue: str) -> str:
    if not await _of_temporal(is_polled(installation.client, queue)):
        raise CheckFailed(
            f"no worker polls {queue}", "start `avtal worker` with the same AVTAL_TASK_QUEUE and namespace"
        )
    return f"a worker polls {queue}"


async def check_worker_version(installation: Installation) -> str:
    """Versioned workers get no tasks until a version is current; unversioned ones get no new contracts after that."""
    wanted = installation.settings.build_id
    current = await _of_temporal(current_version(installation.client, DEPLOYMENT))
    if wanted is not None and current is None:
        command = f"temporal worker deployment set-current-version --deployment-name {DEPLOYMENT} --build-id {wanted}"
        raise CheckFailed("AVTAL_BUILD_ID is set, and no version is current: no contract proceeds", f"`{command}`")
    if wanted is None and current is not None:
        advice = "set AVTAL_BUILD_ID for the workers and here, or unset the current version"
        raise CheckFailed(f"version {current} is current, and AVTAL_BUILD_ID is not set", advice)
    return "not versioned" if current is None else f"version {current} is current"


async def _of_temporal(read: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(RESPONSE_TIMEOUT_SECONDS):
            return await read
    except (NamespaceError, TimeoutError) as error:
        raise CheckSkipped("Temporal does not respond") from error
