"""Spans, and the `traceparent` (W3C) that carries a trace through the store to the process that goes on with it.

Without a tracer provider, which `telemetry.py` sets up, all of this does nothing. A span holds ids, and of an error
its kind alone: never its text.
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
    """Of the span that is open now."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def span(
    name: str, parent: str | None = None, *, kind: SpanKind = SpanKind.INTERNAL, began_at: float | None = None
) -> Iterator[None]:
    """`parent` is a traceparent that was kept; without one, the span that is open now. `began_at` is real time."""
    with _TRACER.start_as_current_span(
        name,
        context=_PROPAGATOR.extract({"traceparent": parent}) if parent else None,
        kind=kind,
        attributes={f"avtal.{field}": value for field, value in current_log_context().known.items()},
        start_time=None if began_at is None else int(began_at * 1e9),
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield
        except Exception as error:
            opened.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise
