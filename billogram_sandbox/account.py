"""What Billogram keeps in an account's settings: where callbacks go, and how a billogram is reminded of by default."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from billogram_sandbox.billogram_shapes import Reminder
from billogram_sandbox.database import Database
from billogram_sandbox.documents import Json
from billogram_sandbox.shapes import Number, Shape, Url, Whole, read


class Account(Shape):
    callback_url: Url | None = None
    sign_key: str | None = None
    automatic_reminders: Annotated[list[Reminder], Field(max_length=10)] = Field(default_factory=list)
    pdf_after_seconds: Whole = 0
    default_reminder_fee: Annotated[Number, Field(ge=0)] = Decimal(60)


USUAL = Account().model_dump()


def load(database: Database) -> Json:
    return USUAL | (database.get("account") or {})


def change(database: Database, body: Json) -> Json:
    """The address and the key are always what is given; the rest stays as it was unless it is given."""
    given = read(Account, body)
    doc = load(database) | given.model_dump(include=given.model_fields_set | {"callback_url", "sign_key"})
    database.put("account", doc)
    return doc
