"""The arguments of commands."""

from typing import Annotated, Literal

from pydantic import Field

from billogram_sandbox.shapes.billogram import FileName, Row
from billogram_sandbox.shapes.values import Amount, Day, Method, Number, Shape, Text

ResendMethod = Literal["Email", "Letter", "SMS"]
MESSAGE_MAX = 2000


class NoArguments(Shape):
    pass


class Send(Shape):
    method: Method


class Attach(Shape):
    filename: FileName
    content: str


class Resend(Shape):
    method: ResendMethod | None = None


class Remind(Resend):
    message: Text = None


class Payment(Shape):
    amount: Amount


class CreditRow(Row):
    count: Annotated[Number, Field(lt=0)]


class Credit(Shape):
    mode: Literal["full", "remaining", "amount", "items"]
    amount: Amount | None = None
    items: Annotated[list[CreditRow], Field(min_length=1, max_length=1000)] | None = None
    method: Method | None = None


class Message(Shape):
    message: Annotated[str, Field(min_length=1, max_length=MESSAGE_MAX)]


class Respite(Shape):
    date: Day
