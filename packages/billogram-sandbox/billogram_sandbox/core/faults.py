"""Misbehaving on demand: which faults there are, and when one strikes. Kept in memory: a restart behaves.

Requests are struck in the order in which they come. Of a callback the fate hangs on the seed, on what names its
billogram to the caller (`custom`, else the unique value), and on how many callbacks of it came before: so the same
seed strikes the same callbacks, whatever else goes on at the same time.
"""

import secrets
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from billogram_sandbox.core.documents import Json

SWAP_SECONDS = 0.25


def _rising(pair: tuple[int, int]) -> tuple[int, int]:
    if pair[0] > pair[1]:
        raise ValueError("the shorter delay comes first")
    return pair


Probability = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[int, Field(ge=0, le=60_000)]
Delay = Annotated[tuple[Milliseconds, Milliseconds], AfterValidator(_rising)]
Seconds = Annotated[int, Field(ge=0, le=86_400)]
HeaderText = Annotated[str, Field(pattern=r"^[ -~]{1,64}$")]


class ApiFaults(BaseModel):
    """`only` names requests as the stats do; `times` says after how many strikes all is well again."""

    model_config = ConfigDict(extra="forbid")
    down: bool = False
    status_503: Probability = 0
    status_429: Probability = 0
    html_error: Probability = 0
    json_error: Probability = 0
    html_ok: Probability = 0
    disconnect: Probability = 0
    fail_after_store: Probability = 0
    timeout: Probability = 0
    late: Probability = 0
    disconnect_after_store: Probability = 0
    truncate: Probability = 0
    latency_ms: Milliseconds | Delay = 0
    retry_after: Seconds | HeaderText | None = 1
    only: list[str] | None = None
    times: Annotated[int, Field(ge=0)] | None = None


STRIKES = (
    *("down", "status_503", "status_429", "html_error", "json_error", "html_ok", "disconnect"),
    *("fail_after_store", "timeout", "late", "disconnect_after_store", "truncate"),
)
"""What may befall a request, in the order in which it is drawn; at most one does."""


class CallbackFaults(BaseModel):
    model_config = ConfigDict(extra="forbid")
    drop: Probability = 0
    duplicate: Probability = 0
    reorder: bool = False
    delay_ms: Delay = (0, 0)
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


@dataclass(frozen=True)
class Ordeal:
    """Of one request: what strikes it, if anything, and how long it waits before that."""

    strike: str | None = None
    delay: float = 0


NORMAL, UNHARMED = Fate(), Ordeal()
BEHAVED, HEALTHY = CallbackFaults(), ApiFaults()


class Misbehaviour:
    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._seed = secrets.randbits(32) if faults.seed is None else faults.seed
        self._requests = Random(self._seed)
        self._told: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        """How many requests each fault has befallen."""
        self._is_healthy = faults.api == HEALTHY

    def ordeal(self, request: str) -> Ordeal:
        """Of a request named as the stats name it."""
        api = self.faults.api
        if self._is_healthy or (api.only is not None and request not in api.only):
            return UNHARMED
        delay = api.latency_ms if isinstance(api.latency_ms, int) else self._requests.uniform(*api.latency_ms)
        return Ordeal(self._strike(request), delay / 1000)

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

    def _strike(self, request: str) -> str | None:
        api = self.faults.api
        if api.times is not None and self.struck.total() >= api.times:
            return None
        for name in STRIKES:
            # Reading stores nothing, so only what may have changed something fails after that.
            if name == "fail_after_store" and request.startswith("GET "):
                continue
            probability = float(getattr(api, name))
            if probability and self._requests.random() < probability:
                self.struck[name] += 1
                return name
        return None
