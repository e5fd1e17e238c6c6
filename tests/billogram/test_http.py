"""How requests leave: through the proxy that the environment names, with the account's credentials, and no further."""

import pytest
from aiohttp import ClientSession, encode_basic_auth
from aiohttp.test_utils import RawTestServer
from aiohttp.web import BaseRequest, Response, json_response

from avtal.billogram.client import _proxy_for
from avtal.billogram.errors import OutcomeUnknown, PlatformUnavailable
from billogram_sandbox_tests.client import KEY, USER
from tests.billogram.builders import answering, client_at


async def test_requests_leave_through_the_proxy_of_the_environment_unless_it_spares_their_host(
    monkeypatch: pytest.MonkeyPatch, http: ClientSession
) -> None:
    asked: list[str] = []

    async def proxy(request: BaseRequest) -> Response:
        asked.append(request.raw_path)
        return json_response({"data": []})

    monkeypatch.setattr(
        "avtal.billogram.client._proxy_for", _proxy_for.__wrapped__
    )  # else this one would be remembered
    async with RawTestServer(proxy) as server:
        monkeypatch.setenv("HTTP_PROXY", str(server.make_url("")))
        monkeypatch.setenv("NO_PROXY", "spared.invalid")
        await client_at("http://billogram.invalid", http).find("c-1:0:r0")
        with pytest.raises(PlatformUnavailable, match="CONNECTION_REFUSED"):
            await client_at("http://spared.invalid", http).find("c-1:0:r0")

    assert [url.partition("?")[0] for url in asked] == ["http://billogram.invalid/api/v2/billogram"]


async def test_credentials_go_with_each_request_and_to_nobody_else() -> None:
    known: list[str | None] = []

    async def elsewhere(request: BaseRequest) -> Response:
        known.append(request.headers.get("Authorization"))
        return Response(status=302, headers={"Location": "/elsewhere"})

    async with answering(elsewhere) as client:
        with pytest.raises(OutcomeUnknown, match="HTTP_302"):
            await client.check_credentials()

    assert known == [encode_basic_auth(USER, KEY)]
