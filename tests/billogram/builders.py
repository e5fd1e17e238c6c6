"""Builders of requests and subscribers, and the platform that the tests call."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
from aiohttp.test_utils import RawTestServer
from aiohttp.web import BaseRequest, Response

from avtal.billogram.client import BillogramClient
from avtal.billogram.transport import http_client
from avtal.contracts.bills.invoice import InvoiceRequest, Subscriber
from avtal.contracts.delivery import Address
from avtal.contracts.money import Row
from avtal.store.accounts.accounts import PlatformCredentials
from billogram_sandbox_tests.client import KEY, USER, Client, Json

KEY_OF_REQUEST = "c-1:0:r0"
ADDRESS = Address(street="Storgatan 1", zipcode="111 52", city="Stockholm")


@dataclass
class Platform:
    """The sandbox: `client` is ours; staff and foreign systems act through `other`."""

    url: str
    http: httpx.AsyncClient
    client: BillogramClient
    other: Client

    async def fails(self, **faults: object) -> None:
        await self.other.control("PUT", "/faults", {"api": faults, "seed": 1} if faults else {})

    async def invoices(self) -> list[Json]:
        return list((await self.other.control("GET", "/billograms"))["billograms"])

    async def requests(self) -> dict[str, int]:
        """Requests by kind since the last call."""
        counted = (await self.other.control("GET", "/stats"))["requests"]
        await self.other.control("POST", "/stats/reset")
        return dict(counted)

    async def customer(self, customer_no: int = 1, **fields: object) -> None:
        await self.other.customer(customer_no=customer_no, **fields)


def make_row(**fields: Any) -> Row:
    usual = {"title": "Global Medium", "count": 1, "price_minor": 316_00, "vat_rate": Decimal(25)}
    return Row.model_validate(usual | fields)


def make_request(**fields: Any) -> InvoiceRequest:
    usual: dict[str, Any] = {
        "key": KEY_OF_REQUEST,
        "custom": KEY_OF_REQUEST,
        "customer_no": 1,
        "currency": "SEK",
        "rows": (make_row(),),
        "row_text": "2099-01-01 – 2099-01-31",
        "payment_days": 30,
        "invoice_date": None,
        "edi_number": None,
        "send_by": None,
    }
    return InvoiceRequest(**(usual | fields))


def make_automatic_request(**fields: Any) -> InvoiceRequest:
    return make_request(**({"send_by": "Email", "invoice_date": date(2099, 1, 1)} | fields))


def make_subscriber(**fields: Any) -> Subscriber:
    usual: dict[str, Any] = {
        "subscriber_id": "s-7",
        "name": "Anna Lundberg",
        "email": "anna@example.com",
        "phone": "0700000000",
        "address": ADDRESS,
    }
    return Subscriber(**(usual | fields))


def client_at(url: str, http: httpx.AsyncClient) -> BillogramClient:
    return BillogramClient(http, PlatformCredentials(url=f"{url}/api/v2", user=USER, key=KEY))


Respond = Callable[[BaseRequest], Awaitable[Response]]


@asynccontextmanager
async def responding(respond: Respond) -> AsyncIterator[BillogramClient]:
    """A client of a server that behaves as the sandbox never does."""
    async with RawTestServer(respond) as server, http_client() as http:
        yield client_at(str(server.make_url("")).rstrip("/"), http)


async def no_response(request: BaseRequest) -> Response:
    """Aborts the connection."""
    assert request.transport is not None
    request.transport.abort()
    return Response()
