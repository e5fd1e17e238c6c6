"""The slim client by which callbacks leave: what it makes of every way in which a receiver may answer, or not."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from httptools import HttpParserError

from billogram_sandbox.posting import Poster

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


class Peer:
    """Answers each request with the next text, whatever it is; an empty one hangs up, None never answers."""

    def __init__(self, answers: Sequence[bytes | None]) -> None:
        self.answers = list(answers)
        self.connections = 0
        self.requests: list[bytes] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while head := await _head(reader):
            self.requests.append(head)
            answer = self.answers.pop(0)
            if answer is None:
                await reader.read()
                break
            writer.write(answer)
            if not answer or b"Connection: close" in answer:
                break
        writer.close()


@asynccontextmanager
async def peer(*answers: bytes | None) -> AsyncIterator[tuple[Peer, Poster]]:
    peer, poster = Peer(answers), Poster(0.3 if None in answers else 20)
    async with await asyncio.start_server(peer.serve, "127.0.0.1", 0) as server:
        peer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield peer, poster
        poster.close()


async def test_one_connection_serves_many_requests() -> None:
    async with peer(OK, OK, OK) as (receiver, poster):
        answers = [await poster.post(receiver.url + "/a?b=1", {"X-Name": "y"}, b"{}") for _ in range(3)]

    assert (answers, receiver.connections) == ([200, 200, 200], 1)
    assert receiver.requests[0].splitlines() == [
        b"POST /a?b=1 HTTP/1.1", f"Host: {receiver.url[7:]}".encode(), b"X-Name: y", b"Content-Length: 2", b"",
    ]  # fmt: skip


async def test_requests_at_once_have_connections_of_their_own_which_are_kept() -> None:
    async with peer(*[OK] * 8) as (receiver, poster):
        for _ in range(2):
            await asyncio.gather(*(poster.post(receiver.url, {}, b"") for _ in range(4)))

    assert receiver.connections == 4


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 302),
        (b"HTTP/1.1 500 -\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", 500),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 201),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end", 200),
        (b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n", 200),
    ],
)
async def test_the_status_is_told_however_the_answer_is_written(answer: bytes, status: int) -> None:
    async with peer(answer, OK) as (receiver, poster):
        first = await poster.post(receiver.url, {}, b"")
        second = await poster.post(receiver.url, {}, b"")

    assert (first, second) == (status, 200)


@pytest.mark.parametrize(
    ("answer", "error"),
    [(b"", ConnectionError), (None, TimeoutError), (b"nonsense\r\n\r\n", HttpParserError)],
)
async def test_what_is_no_answer_is_an_error_and_the_next_request_is_sent_anew(
    answer: bytes | None, error: type[Exception]
) -> None:
    async with peer(answer, OK) as (receiver, poster):
        with pytest.raises(error):
            await poster.post(receiver.url, {}, b"")
        again = await poster.post(receiver.url, {}, b"")

    assert (again, receiver.connections) == (200, 2)


async def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure() -> None:
    async with peer(OK, b"", OK) as (receiver, poster):
        answers = [await poster.post(receiver.url, {}, b"") for _ in range(2)]

    assert (answers, receiver.connections) == ([200, 200], 2)


@pytest.mark.parametrize("url", ["http://", "http://127.0.0.1:99999/", "http://127.0.0.1:x/"])
async def test_an_address_that_is_none_is_an_error(url: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        await Poster(20).post(url, {}, b"")


async def test_a_user_in_the_address_is_told_to_the_receiver() -> None:
    async with peer(OK) as (receiver, poster):
        await poster.post(receiver.url.replace("//", "//me:secret@") + "/ä b", {}, b"")

    assert receiver.requests[0].splitlines()[0] == b"POST /%C3%A4%20b HTTP/1.1"
    assert b"Authorization: Basic bWU6c2VjcmV0" in receiver.requests[0].splitlines()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = next(int(line.split(b":")[1]) for line in head.splitlines() if line.startswith(b"Content-Length"))
    await reader.readexactly(length)
    return head
