"""Sets up logs, metrics, and traces of a process, before it connects to anything. Only entry points use it.

None of them holds personal data: log lines have only `LOG_FIELDS`, spans have no events, paths, or queries, and
metrics have only our own labels.
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
from typing import Any, NamedTuple, Protocol

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

LOOPBACK = "127.0.0.1"
PORTS_TRIED_MAX = 5
LOG_FIELDS = ("timestamp", "level", "logger", "message", "account", "contract_id", "bill_id", "exc_info")
"""The fields of a JSON log line; empty ones are left out."""
NOISY_LOGGERS = ("httpx", "httpcore", "urllib3", "uvicorn", "asyncio")
"""Log from WARNING on, whatever the level: below it, they log addresses and headers."""
UNTRACED_PATHS = {"/healthz", "/readyz", "/metrics"}
OTLP_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

REQUEST_TRACING: RequestTracing = {
    "metrics": False,
    "logs": False,  # they would hold the values of refused requests
    "operation_spans": False,
    "auto_configure": False,
    "exclude": lambda scope: scope.get("path") in UNTRACED_PATHS,
}
"""For `FastAPI(telemetry=…)`: one span per request, if the process exports traces."""


class _Flushable(Protocol):
    def force_flush(self, timeout_millis: int = ...) -> bool: ...


class Telemetry(NamedTuple):
    """`core_port` serves the metrics of Temporal's SDK; `plugins` are for the connection to Temporal."""

    core_port: int
    plugins: Sequence[SimplePlugin]
    spans: _Flushable | None = None

    def serve_metrics(self, app: FastAPI, measure: Callable[[], None] = lambda: None) -> None:
        """Serves our metrics and those of Temporal's SDK. `measure` updates gauges before each scrape."""

        async def metrics(_request: Request) -> Response:
            await asyncio.to_thread(measure)
            core = await asyncio.to_thread(_core_metrics, self.core_port)
            return Response(generate_latest() + core, media_type=CONTENT_TYPE_LATEST)

        app.add_route("/metrics", metrics)

    async def close(self) -> None:
        """Exports the remaining spans: a signal may end the process without its exit handlers."""
        if self.spans is not None:
            await asyncio.to_thread(self.spans.force_flush, 3000)


def start_telemetry(process: str, settings: Settings) -> Telemetry:
    """Once per process, before anything else."""
    configure_logging(settings.log_format, settings.log_level.upper())
    core_port = _start_core()
    if any(os.environ.get(name) for name in OTLP_ENDPOINTS):
        return _with_traces(process, core_port)
    return Telemetry(core_port, ())


def configure_logging(log_format: str, level: str) -> None:
    """One format for every line on stderr: ours, the SDK's and its core's, the server's, and warnings."""
    handler = logging.StreamHandler()
    handler.addFilter(_add_context)
    handler.setFormatter(_JsonFormatter() if log_format == "json" else _TextFormatter())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    # Python's own hook prints plain text, with the row that PostgreSQL has refused.
    sys.excepthook = _log_crash


def _without_row(text: str) -> str:
    """PostgreSQL's DETAIL repeats the row that it refuses."""
    return re.sub(r"^DETAIL:.*?(?=^\[SQL|\Z)", "", text, flags=re.DOTALL | re.MULTILINE)


class _TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s%(context_suffix)s")

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the standard library's name; Any: its own type is long
        return _without_row(super().formatException(ei))


class _JsonFormatter(JsonFormatter):
    def __init__(self) -> None:
        fields = ("levelname", "name", "message", *LogContext._fields)
        super().__init__(fields, rename_fields={"levelname": "level", "name": "logger"}, timestamp=True)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - as above
        return _without_row(str(super().formatException(ei)))

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:  # Any: the library's type
        return {name: log_data[name] for name in LOG_FIELDS if log_data.get(name) is not None}


def _add_context(record: logging.LogRecord) -> bool:
    context = current_log_context() if current_log_context().account else _context_of_sdk(record)
    record.__dict__.update(context.known)
    record.context_suffix = f" [{' '.join(context.known.values())}]" if context.known else ""
    return True


def _context_of_sdk(record: logging.LogRecord) -> LogContext:
    """The SDK's lines carry only the workflow's id: `contract:{account}:{contract}`."""
    details = getattr(record, "temporal_workflow", None) or getattr(record, "temporal_activity", None) or {}
    kind, *names = str(details.get("workflow_id", "")).split(":")
    return LogContext(*names) if kind == "contract" and len(names) == 2 else LogContext()


def _log_crash(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        logging.getLogger(__name__).critical("the process ends with an error", exc_info=(kind, error, traceback))


def _start_core() -> int:
    """Makes the SDK's core log through our logging, and serve its metrics on the returned local port."""
    forwarding = LogForwardingConfig(logging.getLogger("temporalio.core"), append_target_to_name=False)
    logs = LoggingConfig(TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding)
    for _ in range(PORTS_TRIED_MAX):
        port = _free_port()
        metrics = PrometheusConfig(
            bind_address=f"{LOOPBACK}:{port}", counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
        )
        with suppress(ValueError):  # another process took the port
            Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=logs, metrics=metrics)))
            return port
    raise SystemExit("no free port for the metrics of Temporal's SDK")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _core_metrics(port: int) -> bytes:
    """By `http.client`: httpx would load its certificates for each scrape of a local port."""
    connection = HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read()
    except (OSError, HTTPException):
        return b""
    finally:
        connection.close()


def _with_traces(process: str, core_port: int) -> Telemetry:
    try:
        from avtal.trace_export import export_traces  # noqa: PLC0415 - needs an extra
    except ImportError as error:
        raise SystemExit(f"{OTLP_ENDPOINTS[0]} is set, but traces need the extra avtal[otel]: {error}") from error
    plugin, provider = export_traces(process)
    return Telemetry(core_port, (plugin,), provider)
