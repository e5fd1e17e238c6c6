"""A client of the sandbox with short names, a receiver of callbacks, and `eventually`."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
from starlette.applications import Starlette

from billogram_sandbox_tests.response_check import check_response

Json = dict[str, Any]  # Any: JSON, checked by the assertions
USER, KEY = "1234-abcdefgh", "0" * 32


class Client:
    """Calls one sandbox, over ASGI or real HTTP. The short names assert success."""

    def __init__(self, http: httpx.AsyncClient, app: Starlette | None = None) -> None:
        self.http = http
        self._app = app
        http.event_hooks["response"].append(check_response)

    @property
    def app(self) -> Starlette:
        """The sandbox itself, if the client calls it over ASGI."""
        assert self._app is not None
        return self._app

    async def api(self, verb: str, path: str, body: object = None, **query: str | int) -> httpx.Response:
        content = None if verb in ("GET", "DELETE") else json.dumps(body)
        return await self.http.request(verb, f"/api/v2{path}", content=content, params=query, auth=(USER, KEY))

    async def control(self, verb: str, path: str, body: Json | None = None) -> Json:
        response = await self.http.request(verb, f"/sandbox{path}", json=body)
        return ok(response)

    async def customer(self, **fields: object) -> Json:
        address = {"street_address": "Storgatan 1", "zipcode": "111 22", "city": "Järfälla"}
        usual: Json = {"name": "Lisa Provperson", "contact": {"email": "lisa@example.com"}, "address": address}
        return data(await self.api("POST", "/customer", usual | fields))

    async def draft(self, **fields: object) -> Json:
        return data(await self.try_draft(**fields))

    async def try_draft(self, **fields: object) -> httpx.Response:
        if "customer" not in fields:
            fields["customer"] = {"customer_no": (await self.customer())["customer_no"]}
        return await self.api("POST", "/billogram", {"items": [row()]} | fields)

    async def sent(self, method: str = "Email", **fields: object) -> Json:
        return await self.draft(on_success={"command": "send", "method": method}, **fields)

    async def get(self, billogram_id: str) -> Json:
        return data(await self.api("GET", f"/billogram/{billogram_id}"))

    async def command(self, billogram_id: str, name: str, body: object = None) -> httpx.Response:
        return await self.api("POST", f"/billogram/{billogram_id}/command/{name}", body)

    async def pay(self, billogram_id: str, **how: object) -> Json:
        return await self.control("POST", f"/billograms/{billogram_id}/pay", how)

    async def callbacks(self) -> list[Json]:
        return list((await self.control("GET", "/callbacks"))["callbacks"])

    async def quiet(self) -> None:
        """Waits until no callback is pending."""

        async def none() -> bool:
            return bool((await self.control("GET", "/clock"))["callbacks_pending"] == 0)

        await eventually(none)

    async def advance(self, duration: str) -> Json:
        return await self.control("POST", "/clock", {"advance": duration})


@dataclass
class Received:
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Json:
        return dict(json.loads(self.raw, parse_float=Decimal))

    @property
    def type(self) -> str:
        return str(self.body["event"]["type"])

    @property
    def custom(self) -> str:
        return str(self.body["custom"])


@dataclass
class Receiver:
    """An HTTP server that stores requests and responds with the next of `statuses`, else 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)}
        self.received.append(Received(headers, await reader.readexactly(int(headers["content-length"]))))
        status = self.statuses.pop(0) if self.statuses else 200
        head_out = f"HTTP/1.1 {status} -\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        writer.write(head_out.encode())
        await writer.drain()
        writer.close()

    def types(self, billogram_id: str) -> list[str]:
        return [each.type for each in self.received if each.body["billogram"]["id"] == billogram_id]

    async def holds(self, count: int) -> list[Received]:
        async def enough() -> bool:
            return len(self.received) >= count

        await eventually(enough)
        return self.received


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  # the condition is a request
            await asyncio.sleep(0.01)


def row(count: object = 1, price: object = 140.57, discount: object = 0, vat: object = 6) -> Json:
    return {"title": "Tidning helår", "count": count, "price": price, "discount": discount, "vat": vat}


def ok(response: httpx.Response) -> Json:
    assert response.status_code == 200, response.text
    return dict(json.loads(response.text, parse_float=Decimal))


def data(response: httpx.Response) -> Json:
    return dict(ok(response)["data"])


def problem(response: httpx.Response) -> tuple[int, str, str | None, list[str | int] | None]:
    """Status code, identifier, field, and path of an error."""
    body = response.json()
    assert body["data"]["message"]
    return response.status_code, body["status"], body["data"].get("field"), body["data"].get("field_path")


def types(billogram: Json) -> list[str]:
    return [event["type"] for event in billogram["events"]]


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


PDF = b"%PDF-1.7\n%%EOF\n"
