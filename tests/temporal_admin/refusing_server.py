"""A Temporal server that refuses every call with one gRPC status."""

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, SETTINGS, PING = 1, 4, 6
ACKNOWLEDGED, END_STREAM, END_HEADERS = 0x1, 0x1, 0x4
STATUS_200 = b"\x88"  # from HPACK's static table


@contextmanager
def refusing_server(grpc_status: int) -> Iterator[int]:
    """Yields its port on the loopback."""

    class Refusal(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.read(len(PREFACE))
            self._send(SETTINGS, 0, 0)
            while header := self.rfile.read(9):
                kind, flags, stream = header[3], header[4], struct.unpack(">I", header[5:])[0]
                payload = self.rfile.read(int.from_bytes(header[:3], "big"))
                if kind in (SETTINGS, PING) and not flags & ACKNOWLEDGED:
                    self._send(kind, ACKNOWLEDGED, 0, payload if kind == PING else b"")
                elif kind == HEADERS:
                    self._send(HEADERS, END_STREAM | END_HEADERS, stream, response)

        def _send(self, kind: int, flags: int, stream: int, payload: bytes = b"") -> None:
            self.wfile.write(len(payload).to_bytes(3, "big") + bytes([kind, flags]) + struct.pack(">I", stream))
            self.wfile.write(payload)

    headers = (("content-type", "application/grpc"), ("grpc-status", str(grpc_status)))
    response = STATUS_200 + b"".join(b"\x00" + _text(name) + _text(value) for name, value in headers)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusal) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def _text(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()
