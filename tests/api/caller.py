"""A caller of the API with a key, a sale with every field defaulted, and checks of responses."""

from dataclasses import dataclass
from typing import Any

import httpx

Json = dict[str, Any]  # Any: JSON
ACCOUNT = "demo"


def sale(contract_id: str = "c-1", **changes: object) -> Json:
    defaults: Json = {
        "contract_id": contract_id,
        "subscriber": {"subscriber_id": "s-1", "name": "Anna Lundberg", "email": "anna@example.com"},
        "lines": [
            {"product": "global", "title": "Global", "quantity": 1, "unit_price": "395.00", "vat_rate": "25"},
            {"title": "Paper", "quantity": 1, "unit_price": "100.00", "vat_rate": "6"},
        ],
        "interval": {"unit": "month", "count": 1},
    }
    return defaults | changes


@dataclass
class Caller:
    http: httpx.AsyncClient
    key: str

    async def request(self, verb: str, path: str, body: object = None, **query: str | int) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        json = {} if body is None else {"json": body}
        return await self.http.request(verb, f"/v1{path}", headers=headers, params=query, **json)  # type: ignore[arg-type] # the stubs know no keyword alone

    async def get(self, path: str, **query: str | int) -> Json:
        return body_of(await self.request("GET", path, **query))

    async def sell(self, contract_id: str = "c-1", **changes: object) -> Json:
        return body_of(await self.request("POST", "/contracts", sale(contract_id, **changes)), 201)


def body_of(response: httpx.Response, status: int = 200) -> Json:
    assert response.status_code == status, response.text
    body = response.json()
    assert isinstance(body, dict)
    return body


def problem(response: httpx.Response, status: int) -> Json:
    """The response's problem, well formed."""
    body = body_of(response, status)
    assert response.headers["content-type"] == "application/problem+json"
    assert body["status"] == status
    assert body.keys() == {"type", "title", "status", "detail", "errors"}
    return body


def pointers(response: httpx.Response) -> list[str]:
    return [error["pointer"] for error in problem(response, 422)["errors"]]
