"""Whether the process is up, and whether what it needs answers. No key is asked for."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter

from avtal.api.problems.problems import NOT_READY, Problem, declared
from starter.sale import FieldError


class NotReady(Exception):
    """Its text is shown to anyone who asks: it names no host, no user, and no secret."""


Check = Callable[[], Awaitable[None]]

ANSWERS_WITHIN_SECONDS = 3.0

log = logging.getLogger(__name__)


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    """`checks` are the parts by name; one that is not ready raises."""
    router = APIRouter(tags=["health"])
    known: dict[str, FieldError | None] = {}

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process is up."""
        return {"status": "ok"}

    @router.get("/readyz", responses=declared(503))
    async def readyz() -> dict[str, str]:
        """Everything that the process needs answers."""
        troubles = await asyncio.gather(*(_trouble(name, check) for name, check in checks.items()))
        errors = [last_error for last_error in troubles if last_error]
        for name, last_error in zip(checks, troubles, strict=True):
            _log_change(name, known.get(name), last_error)
            known[name] = last_error
        if errors:
            told = "; ".join(f"{error.pointer.removeprefix('/')} {error.detail}" for error in errors)
            raise Problem(NOT_READY, f"not ready: {told}", errors)
        return {"status": "ready"}

    return router


async def _trouble(name: str, check: Check) -> FieldError | None:
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            await check()
    except NotReady as error:
        return FieldError(f"/{name}", str(error))
    except Exception as error:
        # The error's own text may name hosts and users, and anyone may ask.
        return FieldError(f"/{name}", f"does not answer ({type(error).__name__})")
    return None


def _log_change(name: str, before: FieldError | None, now: FieldError | None) -> None:
    """Probes ask every few seconds; a line is written when their answer changes."""
    if now is not None and now != before:
        log.warning("%s is not ready: %s", name, now.detail)
    elif before is not None and now is None:
        log.info("%s is ready again", name)
