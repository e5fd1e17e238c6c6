"""POSTs to other addresses over connections that are kept, and tells the answer's status: all that a callback needs.

A general client costs six times as much as all the rest of a callback. httptools reads the answers.
"""

import asyncio
import base64
import ssl
from collections import defaultdict
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from httptools import HttpParserError, HttpResponseParser

KEPT_MAX = 16
"""To one address; as many as are sent at once are enough."""
PLAIN = "/%:@!$&'()*+,;=~?-._"


class Target(NamedTuple):
    host: str
    port: int
    is_secure: bool


class HungUp(ConnectionError):
    """Before it had answered."""


class Poster:
    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._kept: defaultdict[Target, list[_Line]] = defaultdict(list)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Raises OSError, TimeoutError, ValueError, HttpParserError. No redirection is followed."""
        target, start = _read(url)
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request = f"{start}{fields}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._ask(target, request)
        except TimeoutError:
            raise TimeoutError(f"no answer within {self._timeout_seconds:g} s") from None

    def close(self) -> None:
        for lines in self._kept.values():
            for line in lines:
                line.close()

    async def _ask(self, target: Target, request: bytes) -> int:
        while kept := self._kept[target]:
            line = kept.pop()
            try:
                if line.is_open:
                    return await self._ask_on(line, target, request)
            except ConnectionError:
                continue  # it was closed while it lay idle, and we had not heard yet
        security = _security() if target.is_secure else None
        opening = asyncio.get_running_loop().create_connection(_Line, target.host, target.port, ssl=security)
        _, line = await opening
        return await self._ask_on(line, target, request)

    async def _ask_on(self, line: "_Line", target: Target, request: bytes) -> int:
        try:
            status = await line.ask(request)
        except BaseException:
            line.close()  # what it may still say would be taken for the answer to the next request
            raise
        if line.is_open and len(self._kept[target]) < KEPT_MAX:
            self._kept[target].append(line)
        else:
            line.close()
        return status


class _Line(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._answer: asyncio.Future[int] | None = None
        self._status: int | None = None
        self.is_open = True

    def ask(self, request: bytes) -> asyncio.Future[int]:
        self._status = None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        self.is_open = False
        self._transport.close()

    # What asyncio tells of the connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._end(error)
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        """An answer of no declared length ends here."""
        self.is_open = False
        self._end(error)

    # What the parser tells of the answer.

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        self._status = status if status >= 200 else None

    def on_message_complete(self) -> None:
        if self._status is None:
            return  # only a word in between, such as 100
        self.is_open = self.is_open and self._parser.should_keep_alive()
        self._end(None)

    def _end(self, error: Exception | None) -> None:
        """Of a request under way; a status that was told stands, whatever came of the rest."""
        if self._answer is None or self._answer.done():
            return
        if self._status is not None:
            self._answer.set_result(self._status)
        else:
            self._answer.set_exception(error or HungUp("hung up without an answer"))


@lru_cache(256)
def _read(url: str) -> tuple[Target, str]:
    """Where it is, and how a request to it starts. Raises ValueError."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError(f"no host in {url}")
    host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
    is_secure = parts.scheme == "https"
    target = Target(host, parts.port or (443 if is_secure else 80), is_secure)
    path = quote(parts.path or "/", PLAIN) + (f"?{quote(parts.query, PLAIN)}" if parts.query else "")
    shown = f"[{host}]" if ":" in host else host
    start = f"POST {path} HTTP/1.1\r\nHost: {shown}{'' if parts.port is None else f':{parts.port}'}\r\n"
    if parts.username is not None:
        coded = base64.b64encode(f"{parts.username}:{parts.password or ''}".encode()).decode()
        start += f"Authorization: Basic {coded}\r\n"
    return target, start


@cache
def _security() -> ssl.SSLContext:
    return ssl.create_default_context()
