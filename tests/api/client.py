"""What the API's tests call it with: a caller with a key, and a sale with every field defaulted."""

from dataclasses import dataclass
from typing import Any

import httpx

Json = dict[str, Any]  # Any: JSON, looked into by the assertions
ACCOUNT = "demo"


def sale(contract_id: str = "c-1", **changes: object) -> Json:
    usual: Json = {
        "contract_id": contract_id,
        "subscriber": {"subscriber_id": "s-1", "name": "Anna Lundberg", "email": "anna@example.com"},
        "lines": [
            {"product": "global", "title": "Global", "quantity": 1, "unit_price": "395.00", "vat_rate": "25"},
            {"title": "Paper", "quantity": 1, "unit_price": "100.00", "vat_rate": "6"},
        ],
        "interval": {"unit": "month", "count": 1},
    }
    return usual | changes


@dataclass
class Caller:
    http: httpx.AsyncClient
    key: str

    async def ask(self, verb: str, path: str, body: object = None, **query: str | int) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        json = {} if body is None else {"json": body}
        return await self.http.request(verb, f"/v1{path}", headers=headers, params=query, **json)  # type: ignore[arg-type] # the stubs know no keyword alone

    async def get(self, path: str, **query: str | int) -> Json:
        return ok(await self.ask("GET", path, **query))

    async def sold(self, contract_id: str = "c-1", **changes: object) -> Json:
        return ok(await self.ask("POST", "/contracts", sale(contract_id, **changes)), 201)


def ok(response: httpx.Response, status: int = 200) -> Json:
    assert response.status_code == status, response.text
    answer = response.json()
    assert isinstance(answer, dict)
    return answer


def problem(response: httpx.Response, status: int) -> Json:
    """The problem that a response is; its form is checked."""
    answer = ok(response, status)
    assert response.headers["content-type"] == "application/problem+json"
    assert answer["status"] == status
    assert answer.keys() == {"type", "title", "status", "detail", "errors"}
    return answer


def pointers(response: httpx.Response) -> list[str]:
    return [error["pointer"] for error in problem(response, 422)["errors"]]
