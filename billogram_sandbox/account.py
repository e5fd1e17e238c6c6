"""What Billogram keeps in an account's settings: where callbacks go, and what being late means by default. Each name is
that of Billogram's own settings, where there is one."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from billogram_sandbox import statute
from billogram_sandbox.billogram_shapes import Reminder
from billogram_sandbox.database import Database
from billogram_sandbox.documents import Json
from billogram_sandbox.fallback_shapes import Fallbacks
from billogram_sandbox.shapes import Amount, Number, Percent, Shape, Url, Whole, read

REMINDER_RULES = ("automatic_reminders_minimum_principal_sum", "use_automatic_reminders_partly_paid")


class AutomaticWriteoff(Shape):
    """Of what being late costs, once the principal is settled: all of it, or no more than the amount."""

    settings: Literal["all_fees"] | None = None
    amount: Amount | None = None


class CollectionDefaults(Shape):
    delay_days: Whole | None = None
    amount: Amount | None = None


class Account(Shape):
    callback_url: Url | None = None
    sign_key: str | None = None
    automatic_reminders: Annotated[list[Reminder], Field(max_length=10)] = Field(default_factory=list)
    default_reminder_fee: Annotated[Number, Field(ge=0, le=statute.REMINDER.kronor)] = Decimal(60)
    default_interest_rate: Percent = Decimal("8.5")
    soft_reminders: Annotated[list[Reminder], Field(max_length=10)] = Field(default_factory=list)
    automatic_reminders_minimum_principal_sum: Amount | None = None
    use_automatic_reminders_partly_paid: bool = True
    automatic_writeoff: AutomaticWriteoff = AutomaticWriteoff()
    automatic_collection: CollectionDefaults = CollectionDefaults()
    collection_fee: Annotated[Number, Field(ge=0, le=statute.COLLECTION.kronor)] = statute.COLLECTION.kronor
    plan_fee: Annotated[Number, Field(ge=0, le=statute.INSTALMENT_PLAN.kronor)] = statute.INSTALMENT_PLAN.kronor
    fallbacks: Fallbacks = Field(default_factory=dict)


def load(database: Database) -> Json:
    return Account().model_dump() | (database.get("account") or {})


def change(database: Database, body: Json) -> Json:
    """The address and the key are always what is given; the rest stays as it was unless it is given."""
    given = read(Account, body)
    named = {key for key, value in body.items() if value is not None} | {"callback_url", "sign_key"}
    doc = load(database) | given.model_dump(by_alias=True, include=named)
    database.put("account", doc)
    return doc
