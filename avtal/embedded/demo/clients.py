"""HTTP clients of the demo: a publisher's backend at Avtal, subscribers and staff at Billogram's sandbox."""

from collections.abc import Awaitable, Sequence
from decimal import Decimal
from typing import Any

import httpx

from avtal.api.responses.bodies import BillResponse, BillWithHistory, ContractResponse, Page
from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.frozen import Frozen
from avtal.embedded.addresses import Addresses

TIMEOUT_SECONDS = 30.0
LIMIT = 100

Json = dict[str, Any]  # a body as it goes over the wire


class CallRefused(RuntimeError):
    """A call of the scenario failed."""


class PublisherClient:
    """Calls the JSON API with the demo account's key."""

    def __init__(self, addresses: Addresses) -> None:
        bearer = {"Authorization": f"Bearer {addresses.api_key}"}
        self._http = httpx.AsyncClient(base_url=f"{addresses.web}/v1", headers=bearer, timeout=TIMEOUT_SECONDS)

    async def sell(self, sale: Json) -> ContractResponse:
        return ContractResponse.model_validate(await self._call("POST", "/contracts", sale))

    async def contracts(self) -> Sequence[ContractResponse]:
        page = await self._call("GET", f"/contracts?limit={LIMIT}")
        return Page[ContractResponse].model_validate(page).items

    async def contract(self, contract_id: str) -> ContractResponse:
        return ContractResponse.model_validate(await self._call("GET", f"/contracts/{contract_id}"))

    async def bills(self, contract_id: str) -> Sequence[BillResponse]:
        page = await self._call("GET", f"/contracts/{contract_id}/bills?limit={LIMIT}")
        return Page[BillResponse].model_validate(page).items

    async def bill(self, bill_id: str) -> BillWithHistory:
        return BillWithHistory.model_validate(await self._call("GET", f"/bills/{bill_id}"))

    async def cancel(self, contract_id: str) -> None:
        await self._call("POST", f"/contracts/{contract_id}/cancel", {"at": "period_end"})

    async def update_subscriber(self, subscriber: Json) -> None:
        body = {name: value for name, value in subscriber.items() if name != "subscriber_id"}
        await self._call("PUT", f"/subscribers/{subscriber['subscriber_id']}", body)

    async def retry(self, bill_id: str) -> None:
        await self._call("POST", f"/bills/{bill_id}/retry")

    async def close(self) -> None:
        await self._http.aclose()

    async def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        return await _json(self._http.request(method, path, json=body))


class Invoice(Frozen):
    """The fields of a billogram that the demo checks."""

    bill_id: str
    state: str
    method: str | None
    total: str
    remaining: str
    """Two decimals, as in Avtal's API."""


class SandboxClient:
    """Subscribers use the sandbox's control plane, staff Billogram's own API."""

    def __init__(self, addresses: Addresses) -> None:
        login = httpx.BasicAuth(addresses.billogram_user, addresses.billogram_key)
        self._http = httpx.AsyncClient(base_url=addresses.sandbox, auth=login, timeout=TIMEOUT_SECONDS)
        self.staff_requests = 0

    async def pay(self, billogram_id: str, amount: str, payer: str, method: str) -> None:
        body = {"amount": amount, "payer_name": payer, "method": method}
        await self._call("POST", f"/sandbox/billograms/{billogram_id}/pay", body)

    async def send(self, billogram_id: str, method: DeliveryMethod) -> None:
        await self._command(billogram_id, "send", {"method": method})

    async def credit(self, billogram_id: str) -> None:
        await self._command(billogram_id, "credit", {"mode": "full"})

    async def confirm_loss(self, billogram_id: str) -> None:
        await self._command(billogram_id, "confirmed-loss", {})

    async def delete(self, billogram_id: str) -> None:
        self.staff_requests += 1
        await self._call("DELETE", f"/api/v2/billogram/{billogram_id}")

    async def invoices(self) -> Sequence[Invoice]:
        response = await self._call("GET", "/sandbox/billograms")
        return [_invoice(one) for one in response["billograms"]]

    async def requests(self) -> int:
        return int((await self._call("GET", "/sandbox/stats"))["total"])

    async def callback_outcomes(self) -> Sequence[str]:
        return [one["outcome"] for one in (await self._call("GET", "/sandbox/callbacks"))["callbacks"]]

    async def close(self) -> None:
        await self._http.aclose()

    async def _command(self, billogram_id: str, command: str, body: Json) -> None:
        self.staff_requests += 1
        await self._call("POST", f"/api/v2/billogram/{billogram_id}/command/{command}", body)

    async def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        return await _json(self._http.request(method, path, json=body))


def _invoice(one: Json) -> Invoice:
    return Invoice(
        bill_id=one["callbacks"]["custom"],
        state=one["state"],
        method=one["delivery_method"],
        total=f"{one['total_sum']:.2f}",
        remaining=f"{one['remaining_sum']:.2f}",
    )


async def _json(call: Awaitable[httpx.Response]) -> Json:
    response: httpx.Response = await call
    if response.is_error:
        request = response.request
        raise CallRefused(f"{request.method} {request.url.path} failed ({response.status_code}): {response.text[:300]}")
    body: Json = response.json(parse_float=Decimal)
    return body
