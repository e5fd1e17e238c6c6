"""Misbehaving on demand: which faults there are, and when one strikes. Kept in memory: a restart behaves.

Requests are struck in the order in which they come. Of a callback the fate hangs on the seed, on what names its
billogram to the caller (`custom`, else the unique value), and on how many callbacks of it came before: so the same
seed strikes the same callbacks, whatever else goes on at the same time.
"""

import asyncio
import secrets
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import Response

from billogram_sandbox.documents import Json
from billogram_sandbox.envelope import html

SWAP_SECONDS = 0.25
RETRY_AFTER = {"Retry-After": "1"}


def _rising(pair: tuple[int, int]) -> tuple[int, int]:
    if pair[0] > pair[1]:
        raise ValueError("the shorter delay comes first")
    return pair


Probability = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[int, Field(ge=0, le=30_000)]


class ApiFaults(BaseModel):
    model_config = ConfigDict(extra="forbid")
    down: bool = False
    status_503: Probability = 0
    html_error: Probability = 0
    fail_after_store: Probability = 0
    timeout: Probability = 0
    latency_ms: Annotated[int, Field(ge=0, le=60_000)] = 0


class CallbackFaults(BaseModel):
    model_config = ConfigDict(extra="forbid")
    drop: Probability = 0
    duplicate: Probability = 0
    reorder: bool = False
    delay_ms: Annotated[tuple[Milliseconds, Milliseconds], AfterValidator(_rising)] = (0, 0)
    before_answer: Probability = 0


class Faults(BaseModel):
    model_config = ConfigDict(extra="forbid")
    api: ApiFaults = ApiFaults()
    callbacks: CallbackFaults = CallbackFaults()
    seed: int | None = None


@dataclass(frozen=True)
class Fate:
    """Of one callback. One that is free goes when it is ready, and not only after the earlier ones."""

    dropped: bool = False
    doubled: bool = False
    free: bool = False
    delay: float = 0
    before_answer: bool = False


NORMAL = Fate()
BEHAVED = CallbackFaults()


class Misbehaviour:
    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._seed = secrets.randbits(32) if faults.seed is None else faults.seed
        self._requests = Random(self._seed)
        self._told: Counter[str] = Counter()

    async def before(self) -> Response | None:
        api = self.faults.api
        if api.latency_ms:
            await asyncio.sleep(api.latency_ms / 1000)
        if api.down or self._strikes(api.status_503):
            return html("503 Service Temporarily Unavailable", 503, RETRY_AFTER)
        if self._strikes(api.html_error):
            return html("500 Internal Server Error", 500)
        return None

    def after_store(self, method: str) -> Response | None:
        """Reading stores nothing, so only what may have changed something is hit."""
        if method != "GET" and self._strikes(self.faults.api.fail_after_store):
            return html("500 Internal Server Error", 500)
        return None

    def never_answers(self) -> bool:
        return self._strikes(self.faults.api.timeout)

    def fate(self, doc: Json) -> Fate:
        wanted = self.faults.callbacks
        if wanted == BEHAVED:
            return NORMAL
        name = doc["callbacks"]["custom"] or doc["creditor_unique_value"] or "nameless"
        self._told[name] += 1
        draw = Random(f"{self._seed} {name} {self._told[name]}")
        dropped, doubled, first, held = (draw.random() for _ in range(4))
        return Fate(
            dropped=dropped < wanted.drop,
            doubled=doubled < wanted.duplicate,
            free=wanted.reorder,
            delay=draw.uniform(*wanted.delay_ms) / 1000 + (SWAP_SECONDS if wanted.reorder and held < 0.5 else 0),
            before_answer=first < wanted.before_answer,
        )

    def _strikes(self, probability: float) -> bool:
        return probability > 0 and self._requests.random() < probability
