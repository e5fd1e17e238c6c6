"""Hypothesis strategies that the state machines share."""

from typing import TypeVar

from hypothesis import strategies as st

from avtal.contracts.policy import OnLoss, RenewalWhileOff

T = TypeVar("T")

picks = st.integers(0, 1000)
policies = st.fixed_dictionaries(
    {},
    optional={
        "grace_days": st.none() | st.integers(0, 20),
        "on_loss": st.sampled_from(OnLoss),
        "payment_days": st.integers(0, 20),
        "renewal_lead_days": st.integers(0, 5),
        "work_window_minutes": st.sampled_from([0, 300]),
        "renewal_while_off": st.sampled_from(RenewalWhileOff),
        "max_open_bills": st.none() | st.integers(1, 3),
    },
)


def picked(options: list[T], pick: int) -> T:
    """One of `options`, which exist only while a rule runs."""
    return options[pick % len(options)]
