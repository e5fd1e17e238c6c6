"""Bill ids and the keys under which Billogram knows our bills."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avtal.contracts.bills.bill import PLATFORM_KEY_LENGTH_MAX, bill_id, bill_parts, platform_key

bounded = settings(max_examples=200, deadline=None, derandomize=True)
contract_ids = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=64)
numbers = st.integers(0, 999_999)


@bounded
@given(contract_ids, numbers, numbers)
def test_a_bill_id_contains_contract_period_and_revision(contract: str, period: int, revision: int) -> None:
    assert bill_parts(bill_id(contract, period, revision)) == (contract, period, revision)


@pytest.mark.parametrize(
    "text", ["", "c-1", "c-1:0", "c-1:0:0", "c-1:0:r", "c:1:0:r0", "c-1:-1:r0", "c-1:01:r0", "c-1:٣:r0", "ö:0:r0"]
)
def test_a_malformed_bill_id_has_no_parts(text: str) -> None:
    assert bill_parts(text) is None


@bounded
@given(st.text("0123456789:r.-", max_size=12).map("c".__add__))
def test_bill_id_parts_rebuild_the_bill_id(text: str) -> None:
    parts = bill_parts(text)

    assert parts is None or bill_id(*parts) == text


@bounded
@given(contract_ids, numbers, numbers)
def test_a_platform_key_is_the_bill_id_shortened_if_long(contract: str, period: int, revision: int) -> None:
    identity = bill_id(contract, period, revision)
    key = platform_key(identity)

    assert len(key) <= PLATFORM_KEY_LENGTH_MAX
    assert key == platform_key(identity)
    assert (key == identity) == (len(identity) <= PLATFORM_KEY_LENGTH_MAX)


def test_platform_keys_never_change_between_releases() -> None:
    """Bills are found at Billogram by this key: a change would create second invoices."""
    assert platform_key("c-1001:0:r0") == "c-1001:0:r0"
    assert platform_key("x" * 64 + ":0:r0") == "xxxxxxxxxxxxxxxxxxxxxxx~c251c9fd3d503e76"


def test_no_two_bills_share_a_platform_key() -> None:
    contracts = ["c", "c-1", "a" * 35, "a" * 36, *("b" * length for length in range(30, 65))]
    identities = {bill_id(each, period, revision) for each in contracts for period in range(100) for revision in (0, 1)}

    assert len({platform_key(identity) for identity in identities}) == len(identities)
