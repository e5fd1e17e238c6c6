"""Which URLs and addresses are accepted as a publisher's endpoint."""

import pytest

from avtal.contracts.events.endpoint_url import is_public, url_problem


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e", "::ffff:93.184.215.14"],
)
def test_global_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::",
    ],
)  # fmt: skip
def test_local_addresses_are_not_public_even_when_embedded(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://publisher.example/", "ftp://publisher.example/", "//publisher.example/", "publisher.example", "",
        "https://", "https:///events", "https://user:word@publisher.example/", "https://publisher.example/#part",
        "https://publisher.example:99999/", "https://publisher.example:0/", "https://[::1/", "https://a b.example/",
        "https://bücher.example/", "https://publisher.example/\n", "https://publisher.example/" + "a" * 2000,
    ],
)  # fmt: skip
def test_only_a_well_formed_https_url_is_an_endpoint(url: str) -> None:
    assert url_problem(url, private_ok=False)


def test_http_is_allowed_on_one_machine_only() -> None:
    assert url_problem("http://127.0.0.1:8000/events", private_ok=True) is None
    assert url_problem("https://publisher.example:8443/events?a=b", private_ok=False) is None
    assert url_problem("file:///etc/passwd", private_ok=True)
