"""Fault injection: which faults exist, and which request or callback one hits. In memory only.

Requests are drawn in the order of their arrival. A callback's fault depends on the seed, its billogram's `custom` (else
the unique value), and its number within the billogram: the same seed hits the same callbacks, whatever else happens.
"""

import secrets
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from billogram_sandbox.core.documents import Json

REORDER_SECONDS = 0.25


def _ascending(pair: tuple[int, int]) -> tuple[int, int]:
    if pair[0] > pair[1]:
        raise ValueError("the shorter delay must be first")
    return pair


Probability = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[int, Field(ge=0, le=60_000)]
Delay = Annotated[tuple[Milliseconds, Milliseconds], AfterValidator(_ascending)]
Seconds = Annotated[int, Field(ge=0, le=86_400)]
HeaderText = Annotated[str, Field(pattern=r"^[ -~]{1,64}$")]


class ApiFaults(BaseModel):
    """`only` names requests as the stats do; `times` is the number of hits after which faults stop."""

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


REQUEST_FAULTS = (
    *("down", "status_503", "status_429", "html_error", "json_error", "html_ok", "disconnect"),
    *("fail_after_store", "timeout", "late", "disconnect_after_store", "truncate"),
)
"""In the order in which they are drawn; at most one hits a request."""


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
class CallbackFault:
    """An unordered callback does not wait for earlier ones of its billogram."""

    dropped: bool = False
    duplicated: bool = False
    unordered: bool = False
    delay_seconds: float = 0
    before_answer: bool = False


@dataclass(frozen=True)
class RequestFault:
    """The fault that hits a request, if any, after a delay."""

    name: str | None = None
    delay_seconds: float = 0


NO_CALLBACK_FAULT, NO_REQUEST_FAULT = CallbackFault(), RequestFault()
NO_CALLBACK_FAULTS, NO_API_FAULTS = CallbackFaults(), ApiFaults()


class FaultInjector:
    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._seed = secrets.randbits(32) if faults.seed is None else faults.seed
        self._requests = Random(self._seed)
        self._callback_counts: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        """How many requests each fault has hit."""
        self._has_no_api_faults = faults.api == NO_API_FAULTS

    def request_fault(self, request: str) -> RequestFault:
        """Draws for a request, by its name in the stats."""
        api = self.faults.api
        if self._has_no_api_faults or (api.only is not None and request not in api.only):
            return NO_REQUEST_FAULT
        delay = api.latency_ms if isinstance(api.latency_ms, int) else self._requests.uniform(*api.latency_ms)
        return RequestFault(self._draw(request), delay / 1000)

    def callback_fault(self, doc: Json) -> CallbackFault:
        wanted = self.faults.callbacks
        if wanted == NO_CALLBACK_FAULTS:
            return NO_CALLBACK_FAULT
        name = doc["callbacks"]["custom"] or doc["creditor_unique_value"] or "nameless"
        self._callback_counts[name] += 1
        draw = Random(f"{self._seed} {name} {self._callback_counts[name]}")
        dropped, duplicated, before_answer, delayed = (draw.random() for _ in range(4))
        return CallbackFault(
            dropped=dropped < wanted.drop,
            duplicated=duplicated < wanted.duplicate,
            unordered=wanted.reorder,
            delay_seconds=draw.uniform(*wanted.delay_ms) / 1000
            + (REORDER_SECONDS if wanted.reorder and delayed < 0.5 else 0),
            before_answer=before_answer < wanted.before_answer,
        )

    def _draw(self, request: str) -> str | None:
        api = self.faults.api
        if api.times is not None and self.struck.total() >= api.times:
            return None
        for name in REQUEST_FAULTS:
            # A GET stores nothing.
            if name == "fail_after_store" and request.startswith("GET "):
                continue
            probability = float(getattr(api, name))
            if probability and self._requests.random() < probability:
                self.struck[name] += 1
                return name
        return None
