"""The HTTP client for Billogram: httpx over aiohttp, through the environment's proxy, without cookies or redirects.

By httpx's own transport, a request under load costs eight times the processor time (docs/decisions/0006-libraries.md).
"""

from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

TIMEOUT_SECONDS = 6.0
"""To connect, and then between any two chunks of the response."""
KEEP_ALIVE_SECONDS = 4.0
"""Shorter than servers keep an idle connection, so that no request is sent as the server closes it."""
CONNECTIONS_MAX = 100


def http_client() -> httpx.AsyncClient:
    """One connection pool for a whole process, shared by all accounts. Created inside a running event loop."""
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return httpx.AsyncClient(transport=PlatformTransport(), timeout=TIMEOUT_SECONDS, cookies=no_cookies)


class PlatformTransport(httpx.AsyncBaseTransport):
    """Raises httpx.ConnectError only if nothing was sent; after any other httpx.TransportError the request may have
    been carried out."""

    def __init__(self) -> None:
        self._by_proxy: dict[str | None, AiohttpTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._transport(_proxy_for(request.url.scheme, request.url.host)).handle_async_request(request)
        except httpx.TransportError as error:
            # The library reports a refused connection as a time-out.
            if isinstance(error.__cause__, aiohttp.ClientConnectorError):
                raise httpx.ConnectError(str(error)) from error
            raise
        except aiohttp.ClientError as error:  # what the library does not translate, such as a malformed response
            raise httpx.RemoteProtocolError(str(error)) from error

    async def aclose(self) -> None:
        for transport in self._by_proxy.values():
            await transport.aclose()

    def _transport(self, proxy: str | None) -> AiohttpTransport:
        if proxy not in self._by_proxy:
            self._by_proxy[proxy] = AiohttpTransport(client=_session, proxy=httpx.Proxy(proxy) if proxy else None)
        return self._by_proxy[proxy]


def _session() -> aiohttp.ClientSession:
    pool = aiohttp.TCPConnector(
        limit=CONNECTIONS_MAX, keepalive_timeout=KEEP_ALIVE_SECONDS, ssl=httpx.create_ssl_context()
    )
    return aiohttp.ClientSession(connector=pool, cookie_jar=aiohttp.DummyCookieJar())


@cache
def _proxy_for(scheme: str, host: str) -> str | None:
    """From HTTP_PROXY, HTTPS_PROXY, and NO_PROXY, as they are when the host is first called."""
    return None if proxy_bypass(host) else getproxies().get(scheme)
