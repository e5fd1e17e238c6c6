"""Whether the process is up, and whether what it needs answers. No key is asked for."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter

from api import front
from api.problems import NOT_READY, Problem, declared
from starter.sale import FieldError

Check = Callable[[], Awaitable[None]]

ANSWERS_WITHIN_SECONDS = 3.0

log = logging.getLogger(__name__)


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    """`checks` are the parts by name; one that is not ready raises."""
    router = APIRouter(tags=["health"])
    router.include_router(front.router)

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process is up."""
        return {"status": "ok"}

    @router.get("/readyz", responses=declared(503))
    async def readyz() -> dict[str, str]:
        """Everything that the process needs answers."""
        troubles = await asyncio.gather(*(_trouble(name, check) for name, check in checks.items()))
        errors = [trouble for trouble in troubles if trouble]
        if errors:
            names = ", ".join(error.pointer.removeprefix("/") for error in errors)
            raise Problem(NOT_READY, f"not ready: {names}", errors)
        return {"status": "ready"}

    return router


async def _trouble(name: str, check: Check) -> FieldError | None:
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            await check()
    except Exception as error:
        log.warning("%s is not ready: %s", name, error)
        # The error's own text may name hosts and users, and anyone may ask.
        return FieldError(f"/{name}", f"does not answer ({type(error).__name__})")
    return None
