"""The base class of every frozen value that crosses a boundary: store, workflow, activity, or wire."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Frozen. Unknown fields are ignored and new ones have defaults, so that an old history still loads. An error about
    a value does not repeat the value, which may be a subscriber's."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
