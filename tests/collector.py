"""An OpenTelemetry collector for tests: receives spans over HTTP, and stores them."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []

    def spans(self) -> list[tuple[str, Span]]:
        """All received spans, each with its service's name."""
        spans = []
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                attributes = {one.key: one.value.string_value for one in resource.resource.attributes}
                service = attributes["service.name"]
                spans += [(service, span) for scope in resource.scope_spans for span in scope.spans]
        return spans

    def trace_of(self, name: str, value: str) -> dict[str, str]:
        """The services by span name, of the one trace with this attribute."""
        spans = self.spans()
        [trace_id] = {
            span.trace_id
            for _, span in spans
            if any((one.key, one.value.string_value) == (name, value) for one in span.attributes)
        }
        return {span.name: service for service, span in spans if span.trace_id == trace_id}


@contextmanager
def running_collector() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_compressed = self.headers.get("Content-Encoding") == "gzip"
            collector.bodies.append(gzip.decompress(body) if is_compressed else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_port}"
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield collector
        server.shutdown()
        serving.join()
