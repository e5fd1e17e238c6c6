"""What the doctor checks of Temporal: the server, the namespace, its search attributes, and who works there."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from avtal.cli.doctor.installation import ANSWERS_WITHIN_SECONDS, Installation, Unknown, Wrong
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

Answer = TypeVar("Answer")


async def check_temporal(place: Installation) -> str:
    address = place.client.service_client.config.target_host
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            await retention_of(place.client)
    except NamespaceError as error:
        raise Wrong(str(error), "see whether the server runs, and what it says") from error
    except TimeoutError as error:
        raise Wrong(f"{address} says nothing", "check TEMPORAL_ADDRESS and the server") from error
    return f"answers at {address}"


async def check_namespace(place: Installation) -> str:
    name = place.client.namespace
    retention = await _of_temporal(retention_of(place.client))
    if retention is None:
        raise Wrong(f"there is no namespace {name}", f"check TEMPORAL_NAMESPACE, or {PREPARE}")
    if retention < RETENTION_MIN:
        raise Wrong(f"{name} keeps what has closed for {hours(retention)} only", PREPARE_LONGER)
    return f"{name} keeps what has closed for {hours(retention)}"


async def check_search_attributes(place: Installation) -> str:
    known = await _of_temporal(known_attributes(place.client))
    if known is None:
        raise Unknown("there is no namespace")
    try:
        missing = missing_attributes(known)
    except NamespaceError as error:
        raise Wrong(str(error), "contracts can't start until then") from error
    if missing:
        raise Wrong(f"{', '.join(missing)} not registered; contracts can't start", PREPARE)
    return f"all {len(SEARCH_ATTRIBUTES)} are registered"


async def check_worker(place: Installation, queue: str) -> str:
    if not await _of_temporal(is_polled(place.client, queue)):
        raise Wrong(f"no worker polls {queue}", "start `avtal worker` with the same AVTAL_TASK_QUEUE and namespace")
    return f"a worker polls {queue}"


async def check_worker_version(place: Installation) -> str:
    """Versioned workers get nothing until a version is current, and unversioned ones nothing new from then on."""
    wanted = place.settings.build_id
    current = await _of_temporal(current_version(place.client, DEPLOYMENT))
    if wanted is not None and current is None:
        command = f"temporal worker deployment set-current-version --deployment-name {DEPLOYMENT} --build-id {wanted}"
        raise Wrong("AVTAL_BUILD_ID is set, and no version is current: no contract is worked on", f"`{command}`")
    if wanted is None and current is not None:
        advice = "set AVTAL_BUILD_ID for the workers and here, or unset the current version"
        raise Wrong(f"version {current} is current, and AVTAL_BUILD_ID is not set", advice)
    return "not versioned" if current is None else f"version {current} is current"


async def _of_temporal(question: Awaitable[Answer]) -> Answer:
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            return await question
    except (NamespaceError, TimeoutError) as error:
        raise Unknown("Temporal can't be asked") from error
