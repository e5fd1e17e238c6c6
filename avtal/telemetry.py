"""Logs, metrics, and traces of one process, set up before it connects to anything. Only entry points use it.

Nothing personal leaves through here: log lines have the fields named below and no others, spans have no events, no
paths, and no queries, and figures have labels of our own.
"""

import asyncio
import logging
import os
import re
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from fastapi import FastAPI, Request, Response
from fastapi.telemetry import TelemetryConfig as RequestTracing
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pythonjsonlogger.json import JsonFormatter
from temporalio.plugin import SimplePlugin
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from avtal.config import Settings
from avtal.log_context import LogContext, current_log_context

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span, SpanProcessor

LOOPBACK = "127.0.0.1"
PORTS_TRIED_MAX = 5
LOGGED = ("timestamp", "level", "logger", "message", "account", "contract_id", "bill_id", "exc_info")
"""The fields of a line in JSON; those that have nothing to say are left out."""
CHATTY = ("httpx", "httpcore", "urllib3", "uvicorn", "asyncio")
"""Heard from WARNING on, whatever the level: below it, they tell of addresses and headers."""
UNTRACED_PATHS = {"/healthz", "/readyz", "/metrics"}
OTLP_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

REQUEST_TRACING: RequestTracing = {
    "metrics": False,
    "logs": False,  # they would hold what was refused
    "operation_spans": False,
    "auto_configure": False,
    "exclude": lambda scope: scope.get("path") in UNTRACED_PATHS,
}
"""For `FastAPI(telemetry=…)`: a span for every request, if the process has a tracer provider."""


class _Flushed(Protocol):
    def force_flush(self, timeout_millis: int = ...) -> bool: ...


class Telemetry(NamedTuple):
    """`plugins` are for the connection to Temporal."""

    core_port: int
    plugins: Sequence[SimplePlugin]
    spans: _Flushed | None = None

    def serve_metrics(self, app: FastAPI, measure: Callable[[], None] = lambda: None) -> None:
        """Our figures and those of Temporal's SDK on one page; `measure` brings figures up to date that are asked."""

        async def metrics(_request: Request) -> Response:
            await asyncio.to_thread(measure)
            core = await asyncio.to_thread(_core_figures, self.core_port)
            return Response(generate_latest() + core, media_type=CONTENT_TYPE_LATEST)

        app.add_route("/metrics", metrics)

    async def close(self) -> None:
        """Sends the spans that are left; a signal may end the process before its usual end."""
        if self.spans is not None:
            await asyncio.to_thread(self.spans.force_flush, 3000)


def start_telemetry(process: str, settings: Settings) -> Telemetry:
    """Once per process, before anything else of it."""
    log_as(settings.log_format, settings.log_level.upper())
    port = _start_core()
    if any(os.environ.get(name) for name in OTLP_ENDPOINTS):
        return _traced(process, port)
    return Telemetry(port, ())


def log_as(form: str, level: str) -> None:
    """Every line of the process in one form, on stderr: ours, the SDK's and its core's, the server's, and warnings."""
    handler = logging.StreamHandler()
    handler.addFilter(_add_subject)
    handler.setFormatter(_Json() if form == "json" else _Text())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = _log_end


def _careful(text: str) -> str:
    """PostgreSQL's DETAIL repeats the row that it refuses."""
    return re.sub(r"^DETAIL:.*?(?=^\[SQL|\Z)", "", text, flags=re.DOTALL | re.MULTILINE)


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s%(about)s")

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the standard library's name; Any: its own type is long
        return _careful(super().formatException(ei))


class _Json(JsonFormatter):
    def __init__(self) -> None:
        fields = ("levelname", "name", "message", *LogContext._fields)
        super().__init__(fields, rename_fields={"levelname": "level", "name": "logger"}, timestamp=True)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - as above
        return _careful(str(super().formatException(ei)))

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:  # Any: the library's own type
        return {name: log_data[name] for name in LOGGED if log_data.get(name) is not None}


def _add_subject(record: logging.LogRecord) -> bool:
    known = (current_log_context() if current_log_context().account else _subject_of_sdk(record)).known
    record.__dict__.update(known)
    record.log_context = f" [{' '.join(known.values())}]" if known else ""
    return True


def _subject_of_sdk(record: logging.LogRecord) -> LogContext:
    """The SDK's own lines about a workflow or an activity name the workflow: `contract:{account}:{contract}`."""
    details = getattr(record, "temporal_workflow", None) or getattr(record, "temporal_activity", None) or {}
    kind, *names = str(details.get("workflow_id", "")).split(":")
    return LogContext(*names) if kind == "contract" and len(names) == 2 else LogContext()


def _log_end(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        logging.getLogger(__name__).critical("the process ends by an error", exc_info=(kind, error, traceback))


def _start_core() -> int:
    """The SDK's core logs through us, and answers with its figures on the port that is returned, on this machine."""
    forwarding = LogForwardingConfig(logging.getLogger("temporalio.core"), append_target_to_name=False)
    heard = LoggingConfig(TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding)
    for _ in range(PORTS_TRIED_MAX):
        port = _free_port()
        figures = PrometheusConfig(
            bind_address=f"{LOOPBACK}:{port}", counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
        )
        with suppress(ValueError):  # someone else took the port meanwhile
            Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=heard, metrics=figures)))
            return port
    raise SystemExit("the figures of Temporal's SDK found no free port on this machine")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _core_figures(port: int) -> bytes:
    connection = HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read()
    except (OSError, HTTPException):
        return b""
    finally:
        connection.close()


def _without_paths() -> "SpanProcessor":
    """Our paths hold ids, but a caller may write anything into one; the route, without its ids, is the span's name."""
    from opentelemetry.sdk.trace import SpanProcessor  # noqa: PLC0415 - an extra

    class WithoutPaths(SpanProcessor):
        def on_start(self, span: "Span", parent_context: "Context | None" = None) -> None:  # noqa: ARG002
            for name in {"url.path", "url.query"} & {*(span.attributes or ())}:
                span.set_attribute(name, "")

    return WithoutPaths()


def _traced(process: str, port: int) -> Telemetry:
    try:
        from opentelemetry import propagate, trace  # noqa: PLC0415 - an extra, loaded only if traces are wanted
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import SpanLimits  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415
        from temporalio.contrib.opentelemetry import OpenTelemetryPlugin, create_tracer_provider  # noqa: PLC0415
    except ImportError as error:
        raise SystemExit(f"{OTLP_ENDPOINTS[0]} is set, but traces need the extra avtal[otel]: {error}") from error
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: f"avtal-{process}"}
    # Events would be exceptions with their texts.
    provider = create_tracer_provider(resource=Resource.create(named), span_limits=SpanLimits(max_events=0))
    provider.add_span_processor(_without_paths())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    # Without baggage, which would carry whatever a caller writes into histories.
    propagate.set_global_textmap(TraceContextTextMapPropagator())
    return Telemetry(port, (OpenTelemetryPlugin(add_temporal_spans=True),), provider)
