"""Spans, and the `traceparent` (W3C) that carries a trace through the store to the process that continues it.

Does nothing unless `trace_export.py` has set a tracer provider. A span holds ids, and of an error only its class, never
its text.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from avtal.log_context import current_log_context

_TRACER = trace.get_tracer("avtal")
_PROPAGATOR = TraceContextTextMapPropagator()


def traceparent() -> str | None:
    """The `traceparent` of the current span."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def span(
    name: str, parent: str | None = None, *, kind: SpanKind = SpanKind.INTERNAL, started_at: float | None = None
) -> Iterator[None]:
    """The parent is a stored traceparent, or else the current span. `started_at` is in real time."""
    with _TRACER.start_as_current_span(
        name,
        context=_PROPAGATOR.extract({"traceparent": parent}) if parent else None,
        kind=kind,
        attributes={f"avtal.{field}": value for field, value in current_log_context().known.items()},
        start_time=None if started_at is None else int(started_at * 1e9),
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield
        except Exception as error:
            opened.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise
