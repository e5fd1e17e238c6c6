"""How an account's fallback chains are written. What they do stands in fallbacks."""

from typing import Annotated, Literal

from pydantic import Field

from billogram_sandbox.shapes.values import Shape, Whole

Way = Literal["Email", "SMS", "Letter", "Efaktura", "Einvoice", "EDI"]


class Rule(Shape):
    after_days: Annotated[Whole, Field(le=365)]
    condition: Annotated[Literal["failed", "unopened"], Field(alias="if")]
    way: Literal["SMS", "Letter", "Email"]


Fallbacks = dict[Way, Annotated[list[Rule], Field(max_length=10)]]
