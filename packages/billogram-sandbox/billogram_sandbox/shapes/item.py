"""The writable fields of an item."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from billogram_sandbox.shapes.values import Number, Percent, Shape, Text

LENGTH_MAX, NUMBER_MAX = 30, 999_999_999
Unit = Literal[
    "unit", "hour", "day", "month", "year", "kg", "gram", "kwh", "ton", "meter", "mm", "km", "m2", "m3", "litre", "-"
]


def _as_text(value: object) -> object:
    return str(value) if type(value) is int else value


def _item_no(text: str) -> str:
    if text.isdecimal() and int(text) > NUMBER_MAX:
        raise ValueError(f"an item number is at most {NUMBER_MAX}")
    return text


ItemNo = Annotated[str, Field(min_length=1, max_length=LENGTH_MAX), BeforeValidator(_as_text), AfterValidator(_item_no)]
Title = Annotated[str, Field(min_length=1, max_length=100)]
Description = Annotated[str, Field(max_length=200)]


class ItemBookkeeping(Shape):
    income_account: Text = ""
    vat_account: Text = ""


class ItemChange(Shape):
    item_no: ItemNo | None = None
    title: Title = ""
    description: Description | None = ""
    price: Number = Decimal(0)
    vat: Percent = Decimal(0)
    unit: Unit = "unit"
    bookkeeping: ItemBookkeeping = ItemBookkeeping()
    zero_vat_reason: Text = None


class NewItem(ItemChange):
    title: Title
    price: Number
    vat: Percent
    unit: Unit
