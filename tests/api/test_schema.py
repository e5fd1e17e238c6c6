"""The API conforms to its OpenAPI document, tested by generated requests against the whole stack."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from avtal.embedded.addresses import Addresses
from avtal.embedded.ports import any_ports
from avtal.embedded.stack import running_stack
from billogram_sandbox_tests.schema_fuzzer import CHECKS, KnownValues, fuzz
from tests.conftest import new_database

EXAMPLES = 5
ALSO = ("negative_data_rejection", "unsupported_method", "ignored_auth")


PHASES = {"sqlite": "fuzzing,stateful", "postgresql": "examples,coverage,fuzzing,stateful"}
"""All phases run on PostgreSQL, the stricter database; random requests run on both."""


@pytest.fixture(params=PHASES)
async def addresses(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Addresses]:
    url = new_database(request.getfixturevalue("postgresql")) if request.param == "postgresql" else None
    async with running_stack(tmp_path / "stack", any_ports(), headless=True, store_url=url) as stack:
        yield stack.addresses


async def test_api_conforms_to_its_openapi_document(
    addresses: Addresses, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    key = f"Bearer {addresses.api_key}"
    async with httpx.AsyncClient(base_url=addresses.web, headers={"Authorization": key}, timeout=30) as http:
        known = await sell_contracts(http)
        paths = (await http.get("/openapi.json")).json()["paths"]
    phases = PHASES[request.node.callspec.params["addresses"]]
    options = ("--header", f"Authorization: {key}", "--phases", phases)

    requested = await fuzz(tmp_path, addresses.web, known, *options, examples=EXAMPLES, checks=(*CHECKS, *ALSO))

    assert requested == sum(len(operations) for operations in paths.values())


async def sell_contracts(http: httpx.AsyncClient) -> dict[str, KnownValues]:
    """Returns the ids of contracts whose bills are in several states."""
    contracts = [f"c-{number}" for number in range(6)]
    for contract_id in contracts:
        response = await http.post("/v1/contracts", json=sale(contract_id))
        assert response.status_code == 201, response.text
    bills = [await first_bill(http, contract_id) for contract_id in contracts]
    return {
        "path.contract_id": KnownValues(contracts),
        "path.bill_id": KnownValues(bills),
        "path.subscriber_id": KnownValues([f"s-{contract_id}" for contract_id in contracts]),
        "body.contract_id": KnownValues(contracts, 0.3),
        "body.time_zone": KnownValues(["Europe/Stockholm", "Europe/Oslo", "Asia/Kathmandu"], 0.9),
        "body.start_date": KnownValues(["2030-01-31", "2028-02-29"], 0.9),
        "body.url": KnownValues(["http://127.0.0.1:9/events"], 0.8),
    }


async def first_bill(http: httpx.AsyncClient, contract_id: str) -> str:
    async with asyncio.timeout(30):
        while True:
            bills = (await http.get(f"/v1/contracts/{contract_id}/bills")).json()["items"]
            if bills and bills[0]["status"] != "creating":
                return str(bills[0]["bill_id"])
            await asyncio.sleep(0.05)


def sale(contract_id: str) -> dict[str, Any]:  # Any: JSON
    """Every second subscriber is unreachable: the bill is parked."""
    reachable = int(contract_id[2:]) % 2 == 0
    return {
        "contract_id": contract_id,
        "subscriber": {
            "subscriber_id": f"s-{contract_id}",
            "name": "Anna Lundberg",
            "email": "anna@example.com" if reachable else None,
        },
        "lines": [{"title": "Global", "quantity": 1, "unit_price": "395.00", "vat_rate": "25"}],
        "interval": {"unit": "month", "count": 1},
    }
