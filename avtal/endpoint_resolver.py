"""Where a publisher's address leads: its host resolved, and refused unless all of it is public."""

import socket
from collections.abc import Sequence

import httpx

from avtal.contracts.events.endpoint_url import is_public, url_problem


class InvalidEndpoint(ValueError):
    """This address can't be used; the words say why."""


def addresses_of(url: str, *, private_ok: bool) -> Sequence[str]:
    """The IP addresses of its host, in the system's order. Waits for the name server. Raises InvalidEndpoint."""
    fault = url_problem(url, private_ok=private_ok)
    if fault is not None:
        raise InvalidEndpoint(fault)
    try:
        where = httpx.URL(url)
        port = where.port or (443 if where.scheme == "https" else 80)
        found = socket.getaddrinfo(where.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, httpx.InvalidURL):
        raise InvalidEndpoint("has a host that can't be found") from None
    addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
    if not private_ok and not all(is_public(address) for address in addresses):
        raise InvalidEndpoint("has a host with an address that is not public")
    return addresses
