"""How requests are sent: through the environment's proxy, with the account's credentials, without redirects."""

import httpx
import pytest
from aiohttp import encode_basic_auth
from aiohttp.test_utils import RawTestServer
from aiohttp.web import BaseRequest, Response, json_response

from avtal.billogram import transport
from avtal.billogram.errors import OutcomeUnknown, PlatformUnavailable
from billogram_sandbox_tests.client import KEY, USER
from tests.billogram.builders import client_at, responding


async def test_requests_use_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, http: httpx.AsyncClient
) -> None:
    requested: list[str] = []

    async def proxy(request: BaseRequest) -> Response:
        requested.append(request.raw_path)
        return json_response({"data": []})

    monkeypatch.setattr(transport, "_proxy_for", transport._proxy_for.__wrapped__)  # without its cache
    async with RawTestServer(proxy) as server:
        monkeypatch.setenv("HTTP_PROXY", str(server.make_url("")))
        monkeypatch.setenv("NO_PROXY", "spared.invalid")
        await client_at("http://billogram.invalid", http).find("c-1:0:r0")
        with pytest.raises(PlatformUnavailable, match="CONNECTION_REFUSED"):
            await client_at("http://spared.invalid", http).find("c-1:0:r0")

    assert [url.partition("?")[0] for url in requested] == ["http://billogram.invalid/api/v2/billogram"]


async def test_credentials_are_not_sent_to_a_redirect_target() -> None:
    known: list[str | None] = []

    async def elsewhere(request: BaseRequest) -> Response:
        known.append(request.headers.get("Authorization"))
        return Response(status=302, headers={"Location": "/elsewhere"})

    async with responding(elsewhere) as client:
        with pytest.raises(OutcomeUnknown, match="HTTP_302"):
            await client.check_credentials()

    assert known == [encode_basic_auth(USER, KEY)]
