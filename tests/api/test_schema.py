"""What the API promises in its description holds, whatever it is asked: the whole stack, asked by a stranger."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from avtal.embedded.addresses import Addresses
from avtal.embedded.ports import any_ports
from avtal.embedded.stack import running_stack
from billogram_sandbox_tests.stranger import CHECKS, Known, asks
from tests.conftest import new_database

EXAMPLES = 5
ALSO = ("negative_data_rejection", "unsupported_method", "ignored_auth")


PHASES = {"sqlite": "fuzzing,stateful", "postgresql": "examples,coverage,fuzzing,stateful"}
"""The stricter database is asked for every combination; both for what chance finds."""


@pytest.fixture(params=PHASES)
async def addresses(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Addresses]:
    url = new_database(request.getfixturevalue("postgresql")) if request.param == "postgresql" else None
    async with running_stack(tmp_path / "stack", any_ports(), headless=True, store_url=url) as stack:
        yield stack.addresses


async def test_the_api_answers_as_it_is_described(
    addresses: Addresses, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    key = f"Bearer {addresses.api_key}"
    async with httpx.AsyncClient(base_url=addresses.web, headers={"Authorization": key}, timeout=30) as http:
        known = await something_to_ask_for(http)
        paths = (await http.get("/openapi.json")).json()["paths"]
    phases = PHASES[request.node.callspec.params["addresses"]]
    options = ("--header", f"Authorization: {key}", "--phases", phases)

    asked = await asks(tmp_path, addresses.web, known, *options, examples=EXAMPLES, checks=(*CHECKS, *ALSO))

    assert asked == sum(len(operations) for operations in paths.values())


async def something_to_ask_for(http: httpx.AsyncClient) -> dict[str, Known]:
    """Contracts with bills in several states, one of them parked; their ids."""
    contracts = [f"c-{number}" for number in range(6)]
    for contract_id in contracts:
        answer = await http.post("/v1/contracts", json=sale(contract_id))
        assert answer.status_code == 201, answer.text
    bills = [await first_bill(http, contract_id) for contract_id in contracts]
    return {
        "path.contract_id": Known(contracts),
        "path.bill_id": Known(bills),
        "path.subscriber_id": Known([f"s-{contract_id}" for contract_id in contracts]),
        "body.contract_id": Known(contracts, 0.3),
        "body.time_zone": Known(["Europe/Stockholm", "Europe/Oslo", "Asia/Kathmandu"], 0.9),
        "body.start_date": Known(["2030-01-31", "2028-02-29"], 0.9),
        "body.url": Known(["http://127.0.0.1:9/events"], 0.8),
    }


async def first_bill(http: httpx.AsyncClient, contract_id: str) -> str:
    async with asyncio.timeout(30):
        while True:
            bills = (await http.get(f"/v1/contracts/{contract_id}/bills")).json()["items"]
            if bills and bills[0]["status"] != "creating":
                return str(bills[0]["bill_id"])
            await asyncio.sleep(0.05)


def sale(contract_id: str) -> dict[str, Any]:  # Any: JSON
    """Every second one has no way to its reader: its bill is parked."""
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
