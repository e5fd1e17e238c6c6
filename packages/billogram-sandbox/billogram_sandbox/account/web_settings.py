"""What Billogram keeps in its web settings: where callbacks go, and with which key they are signed.

The control plane also sets here what being late means; what the API's settings have of that is kept there.
"""

from typing import Annotated

from pydantic import Field

from billogram_sandbox.account import settings
from billogram_sandbox.core.database import Database
from billogram_sandbox.core.documents import Json
from billogram_sandbox.rules import statute
from billogram_sandbox.shapes.fallback import Fallbacks
from billogram_sandbox.shapes.settings import (
    AutomaticCollection,
    AutomaticWriteoff,
    Fee,
    Invoices,
    Ladder,
    Rate,
    ReminderFee,
)
from billogram_sandbox.shapes.values import Number, Shape, Url, Whole, given, read

REMINDER_RULES = ("automatic_reminders_minimum_principal_sum", "use_automatic_reminders_partly_paid")
IN_SETTINGS = (
    *("automatic_reminders", "default_reminder_fee", "default_interest_rate", *REMINDER_RULES),
    *("automatic_writeoff", "automatic_collection"),
)
"""Under the same names there."""
ALWAYS_SET: Json = {"callback_url": None, "sign_key": None}
USUAL = Invoices()


class Account(Shape):
    callback_url: Url | None = None
    sign_key: str | None = None
    pdf_after_seconds: Whole = 0
    automatic_reminders: Ladder = Field(default_factory=list)
    default_reminder_fee: ReminderFee = USUAL.default_reminder_fee
    default_interest_rate: Rate = USUAL.default_interest_rate
    automatic_reminders_minimum_principal_sum: Fee | None = None
    use_automatic_reminders_partly_paid: bool = USUAL.use_automatic_reminders_partly_paid
    automatic_writeoff: AutomaticWriteoff = AutomaticWriteoff()
    automatic_collection: AutomaticCollection = AutomaticCollection()
    soft_reminders: Ladder = Field(default_factory=list)
    collection_fee: Annotated[Number, Field(ge=0, le=statute.COLLECTION.kronor)] = statute.COLLECTION.kronor
    plan_fee: Annotated[Number, Field(ge=0, le=statute.INSTALMENT_PLAN.kronor)] = statute.INSTALMENT_PLAN.kronor
    fallbacks: Fallbacks = Field(default_factory=dict)


DEFAULTS: Json = Account().model_dump()


def load(database: Database) -> Json:
    return DEFAULTS | (database.get("account") or {}) | _of_settings(settings.load(database))


def change(database: Database, body: Json) -> Json:
    """The address and the key are always what is given; the rest stays as it was unless it is given."""
    shape = read(Account, body)
    wanted = given(shape)
    if "fallbacks" in wanted:
        wanted["fallbacks"] = shape.model_dump(by_alias=True, include={"fallbacks"})["fallbacks"]
    settings.change(database, {"invoices": {name: wanted.pop(name) for name in IN_SETTINGS if name in wanted}})
    database.put("account", (database.get("account") or {}) | ALWAYS_SET | wanted)
    return load(database)


def _of_settings(own: Json) -> Json:
    return {name: own["invoices"][name] for name in IN_SETTINGS}
