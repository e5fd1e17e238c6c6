"""Exports traces by OTLP. Needs the extra `avtal[otel]`; `telemetry.py` imports it only if an endpoint is set."""

import os

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Span, SpanLimits, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from temporalio.contrib.opentelemetry import OpenTelemetryPlugin, ReplaySafeTracerProvider, create_tracer_provider

URL_ATTRIBUTES = {"url.path", "url.query"}


class UrlRemover(SpanProcessor):
    """Callers can write anything into a path or a query. The span's name has the route, without ids."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the interface
        for name in URL_ATTRIBUTES & {*(span.attributes or ())}:
            span.set_attribute(name, "")


def export_traces(process: str) -> tuple[OpenTelemetryPlugin, ReplaySafeTracerProvider]:
    """Returns the plugin for the connection to Temporal, and the provider, to be flushed at the end."""
    resource = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: f"avtal-{process}"}
    # No events: they would be exceptions with their texts.
    provider = create_tracer_provider(resource=Resource.create(resource), span_limits=SpanLimits(max_events=0))
    provider.add_span_processor(UrlRemover())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    # No baggage: it would carry whatever a caller writes into workflow histories.
    propagate.set_global_textmap(TraceContextTextMapPropagator())
    return OpenTelemetryPlugin(add_temporal_spans=True), provider
