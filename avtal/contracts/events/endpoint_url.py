"""Which endpoint URLs of a publisher are allowed: https only, and only hosts on the public internet.

On one machine, the operator may allow http and private addresses too.
"""

import ipaddress
from urllib.parse import urlsplit

URL_LENGTH_MAX = 2_000
NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def url_problem(url: str, *, private_ok: bool) -> str | None:
    """What is wrong with the form of the URL, or None. Its host is checked when it is resolved."""
    schemes = ("https", "http") if private_ok else ("https",)
    if len(url) > URL_LENGTH_MAX or not url.isascii() or not url.isprintable() or " " in url:
        return f"takes at most {URL_LENGTH_MAX} printable ASCII characters without a space"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in schemes:
        return f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}"
    if not parts.hostname or port == 0:
        return "has no host, or an invalid port"
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "takes no user, no password, and no #fragment"
    return None


def is_public(address: str) -> bool:
    """Whether an IP address is on the public internet. One that embeds another, as in NAT64, is as public as that."""
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = _embedded(found)
    return found.is_global and not found.is_multicast if inner is None else is_public(str(inner))


def _embedded(address: Address) -> Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
