"""Rules for every request: the key, problems, the body limit, and the routes without a key."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from avtal.api.health import health_router
from avtal.api.problems.body_limit import BODY_BYTES_MAX
from avtal.api.problems.handlers import install_problems
from tests.api.caller import Caller, body_of, pointers, problem, sale


@pytest.mark.parametrize("header", [None, "Bearer avtal_wrong", "Basic YTpi", "Bearer"])
async def test_request_without_a_known_key_is_401(http: httpx.AsyncClient, header: str | None) -> None:
    response = await http.get("/v1/policy", headers={"Authorization": header} if header else {})

    assert problem(response, 401)["type"].endswith("key-refused")
    assert response.headers["www-authenticate"].startswith("Bearer")


async def test_malformed_json_is_400(caller: Caller, http: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {caller.key}", "Content-Type": "application/json"}
    for body in (b"{", b"\xff", b"[" * 100_000):
        problem(await http.post("/v1/contracts", content=body, headers=headers), 400)


async def test_json_without_its_content_type_is_415(caller: Caller, http: httpx.AsyncClient) -> None:
    response = await http.post("/v1/contracts", content=b"{}", headers={"Authorization": f"Bearer {caller.key}"})

    assert "application/json" in problem(response, 415)["detail"]


async def test_body_above_the_limit_is_413(caller: Caller, http: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {caller.key}", "Content-Type": "application/json"}
    body = b'"' + b" " * BODY_BYTES_MAX + b'"'

    async def undeclared() -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        yield body[len(body) // 2 :]

    problem(await http.post("/v1/contracts", content=body, headers=headers), 413)
    problem(await http.post("/v1/contracts", content=undeclared(), headers=headers), 413)


async def test_field_name_that_is_no_utf8_is_refused_in_ascii(caller: Caller, http: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {caller.key}", "Content-Type": "application/json"}
    body = json.dumps(sale(policy={"\ud800": 1})).encode()

    assert pointers(await http.post("/v1/contracts", content=body, headers=headers)) == ["/policy/\ud800"]


async def test_unknown_routes_methods_and_ids_are_problems(caller: Caller) -> None:
    problem(await caller.request("GET", "/nowhere"), 404)
    problem(await caller.request("DELETE", "/policy"), 405)
    problem(await caller.request("GET", "/contracts/not%20an%20id"), 404)
    problem(await caller.request("GET", "/bills/c-1"), 404)


async def test_internal_error_is_a_problem_without_details() -> None:
    app = FastAPI()
    install_problems(app)

    @app.get("/")
    async def broken() -> None:
        raise ZeroDivisionError("secret")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://avtal") as http:
        response = await http.get("/")

    assert "secret" not in problem(response, 500)["detail"]


async def test_index_links_to_every_part(http: httpx.AsyncClient) -> None:
    links = body_of(await http.get("/"))["places"]
    page = await http.get("/", headers={"Accept": "text/html,*/*"})

    assert links["docs"]["href"] == "/docs"
    assert '<a href="/docs">' in page.text


async def test_readiness_names_the_part_that_is_not_ready() -> None:
    async def ready() -> None:
        await asyncio.sleep(0)

    async def unavailable() -> None:
        raise ConnectionError("temporal:7233 refused")

    app = FastAPI()
    install_problems(app)
    app.include_router(health_router({"store": ready, "temporal": unavailable}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://avtal") as http:
        assert body_of(await http.get("/healthz")) == {"status": "ok"}
        not_ready = problem(await http.get("/readyz"), 503)

    assert not_ready["errors"] == [{"pointer": "/temporal", "detail": "does not respond (ConnectionError)"}]


async def test_readiness_is_200_when_every_part_is_ready(http: httpx.AsyncClient) -> None:
    assert body_of(await http.get("/readyz")) == {"status": "ready"}


async def test_openapi_declares_problems_and_the_key(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    operations = [operation for path in paths if path.startswith("/v1/") for operation in paths[path].values()]

    assert operations
    for operation in operations:
        problems = {status: response for status, response in operation["responses"].items() if status >= "400"}
        media_types = {media_type for response in problems.values() for media_type in response["content"]}

        assert operation["security"] == [{"HTTPBearer": []}]
        assert {"401", "422"} <= problems.keys()
        assert media_types == {"application/problem+json"}
