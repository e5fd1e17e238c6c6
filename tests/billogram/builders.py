"""What these tests order from the platform, and the platform that they speak to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from aiohttp import ClientSession
from aiohttp.test_utils import RawTestServer
from aiohttp.web import BaseRequest, Response

from avtal.billogram.client import BillogramClient, Credentials, http_client
from avtal.contracts.bills.invoice import InvoiceRequest, Subscriber
from avtal.contracts.delivery import Address
from avtal.contracts.money import Row
from billogram_sandbox_tests.client import KEY, USER, Client, Json

KEY_OF_ORDER = "c-1:0:r0"
ADDRESS = Address(street="Storgatan 1", zipcode="111 52", city="Stockholm")


@dataclass
class Platform:
    """The sandbox: `client` is ours, and through `other` staff and strangers act."""

    url: str
    http: ClientSession
    client: BillogramClient
    other: Client

    async def fails(self, **faults: object) -> None:
        await self.other.control("PUT", "/faults", {"api": faults, "seed": 1} if faults else {})

    async def invoices(self) -> list[Json]:
        return list((await self.other.control("GET", "/billograms"))["billograms"])

    async def requests(self) -> dict[str, int]:
        """By kind, and counted from now on again."""
        counted = (await self.other.control("GET", "/stats"))["requests"]
        await self.other.control("POST", "/stats/reset")
        return dict(counted)

    async def customer(self, customer_no: int = 1, **fields: object) -> None:
        await self.other.customer(customer_no=customer_no, **fields)


def make_row(**fields: Any) -> Row:
    usual = {"title": "Global Medium", "count": 1, "price_minor": 316_00, "vat_rate": Decimal(25)}
    return Row.model_validate(usual | fields)


def make_order(**fields: Any) -> InvoiceRequest:
    usual: dict[str, Any] = {
        "key": KEY_OF_ORDER,
        "custom": KEY_OF_ORDER,
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


def make_automatic_order(**fields: Any) -> InvoiceRequest:
    return make_order(**({"send_by": "Email", "invoice_date": date(2099, 1, 1)} | fields))


def make_subscriber(**fields: Any) -> Subscriber:
    usual: dict[str, Any] = {
        "subscriber_id": "s-7",
        "name": "Anna Lundberg",
        "email": "anna@example.com",
        "phone": "0700000000",
        "address": ADDRESS,
    }
    return Subscriber(**(usual | fields))


def client_at(url: str, http: ClientSession) -> BillogramClient:
    return BillogramClient(http, Credentials(url=f"{url}/api/v2", user=USER, key=KEY))


Answer = Callable[[BaseRequest], Awaitable[Response]]


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[BillogramClient]:
    """A server that does what the sandbox never does."""
    async with RawTestServer(answer) as server, http_client() as http:
        yield client_at(str(server.make_url("")).rstrip("/"), http)


async def no_answer(request: BaseRequest) -> Response:
    """The connection ends without a word."""
    assert request.transport is not None
    request.transport.abort()
    return Response()
