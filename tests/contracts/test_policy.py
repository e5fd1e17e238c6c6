"""The account's policy: its defaults are the interface's, and a change is laid over what was."""

import pytest
from pydantic import ValidationError

from avtal.contracts.policy import Policy, changed

PROMISED = {
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


def test_a_new_account_has_the_promised_defaults() -> None:
    assert Policy().model_dump(mode="json") == PROMISED


def test_a_change_leaves_every_other_field_as_it_was() -> None:
    before = changed(Policy(), {"payment_days": 10, "mode": "automatic"})
    after = changed(before, {"payment_days": 14})

    assert after.model_dump(mode="json") == PROMISED | {"payment_days": 14, "mode": "automatic"}
    assert changed(after, {}) == after


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
def test_a_value_that_no_policy_takes_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        changed(Policy(), change)
