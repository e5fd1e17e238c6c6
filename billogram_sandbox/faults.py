"""Misbehaving on demand: which faults there are, and when one strikes. Kept in memory: a restart behaves."""

import asyncio
from random import Random
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from billogram_sandbox.envelope import html

Probability = Annotated[float, Field(ge=0, le=1)]


class ApiFaults(BaseModel):
    model_config = ConfigDict(extra="forbid")
    down: bool = False
    fail_after_store: Probability = 0
    status_503: Probability = 0
    latency_ms: Annotated[int, Field(ge=0, le=60_000)] = 0


class Faults(BaseModel):
    model_config = ConfigDict(extra="forbid")
    api: ApiFaults = ApiFaults()
    seed: int | None = None


class Misbehaviour:
    """Draws from the faults that are set, in the order of the requests: the same seed, the same blows."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._random = Random(faults.seed)

    async def before(self) -> Response | None:
        api = self.faults.api
        if api.latency_ms:
            await asyncio.sleep(api.latency_ms / 1000)
        if api.down or self._strikes(api.status_503):
            return html("503 Service Temporarily Unavailable", 503)
        return None

    def after_store(self, method: str) -> Response | None:
        """Reading stores nothing, so only what may have changed something is hit."""
        if method != "GET" and self._strikes(self.faults.api.fail_after_store):
            return html("500 Internal Server Error", 500)
        return None

    def _strikes(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability
