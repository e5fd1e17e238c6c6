"""Resolves the host of a publisher's endpoint, and refuses addresses that are not public."""

import socket
from collections.abc import Sequence

import httpx

from avtal.contracts.events.endpoint_url import is_public, url_problem


class InvalidEndpoint(ValueError):
    """The URL can't be used. The text continues a sentence that starts with it."""


def addresses_of(url: str, *, private_ok: bool) -> Sequence[str]:
    """The IP addresses of its host, in the system's order. Blocks on DNS. Raises InvalidEndpoint."""
    problem = url_problem(url, private_ok=private_ok)
    if problem is not None:
        raise InvalidEndpoint(problem)
    try:
        parsed = httpx.URL(url)
        port = parsed.port or (443 if parsed.scheme == "https" else 80)
        found = socket.getaddrinfo(parsed.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, httpx.InvalidURL):
        raise InvalidEndpoint("has a host that can't be found") from None
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    if not private_ok and not all(is_public(address) for address in addresses):
        raise InvalidEndpoint("has a host with an address that is not public")
    return addresses
