"""The account's policy: its documented defaults, and changes that leave the other fields alone."""

import pytest
from pydantic import ValidationError

from avtal.contracts.policy import Policy, with_changes

DOCUMENTED = {
    "mode": "draft",
    "default_delivery_method": "Email",
    "placeholder_domains": ["sesa.my"],
    "grace_days": None,
    "on_loss": "turn_off",
    "payment_days": 30,
    "renewal_lead_days": 0,
    "work_window_minutes": 0,
    "renewal_while_off": "hold",
    "max_open_bills": None,
}


def test_a_new_account_has_the_documented_policy() -> None:
    assert Policy().model_dump(mode="json") == DOCUMENTED


def test_a_policy_change_leaves_the_other_fields_unchanged() -> None:
    before = with_changes(Policy(), {"payment_days": 10, "mode": "automatic"})
    after = with_changes(before, {"payment_days": 14})

    assert after.model_dump(mode="json") == DOCUMENTED | {"payment_days": 14, "mode": "automatic"}
    assert with_changes(after, {}) == after


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "sometimes"},
        {"default_delivery_method": "Pigeon"},
        {"payment_days": -1},
        {"payment_days": 366},
        {"grace_days": -1},
        {"on_loss": "forgive"},
        {"renewal_lead_days": 91},
        {"work_window_minutes": 1201},
        {"renewal_while_off": "skip"},
        {"max_open_bills": 0},
        {"placeholder_domains": ["a@sesa.my"]},
        {"placeholder_domains": [""]},
        {"placeholder_domains": [".sesa.my"]},
        {"placeholder_domains": ["sesa.my "]},
    ],
)
def test_a_policy_refuses_values_out_of_bounds(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        with_changes(Policy(), change)
