"""Settings that Billogram has in its web interface: callback URL, sign key, late payment.

The control plane sets them. Those that the API's settings have too are stored there.
"""

from typing import Annotated, Literal

from pydantic import Field

from billogram_sandbox.account import settings
from billogram_sandbox.core.database import Database
from billogram_sandbox.core.documents import Json
from billogram_sandbox.rules import statute
from billogram_sandbox.shapes.settings import (
    AutomaticCollection,
    AutomaticWriteoff,
    Fee,
    Invoices,
    Rate,
    ReminderFee,
    Reminders,
)
from billogram_sandbox.shapes.values import Number, Shape, Url, Whole, given_fields, parse

REMINDER_RULES = ("automatic_reminders_minimum_principal_sum", "use_automatic_reminders_partly_paid")
IN_SETTINGS = (
    *("automatic_reminders", "default_reminder_fee", "default_interest_rate", *REMINDER_RULES),
    *("automatic_writeoff", "automatic_collection"),
)
"""Stored in the API's settings, under the same names."""
ALWAYS_REPLACED: Json = {"callback_url": None, "sign_key": None}
INVOICE_DEFAULTS = Invoices()


class FallbackRule(Shape):
    after_days: Annotated[Whole, Field(le=365)]
    condition: Annotated[Literal["failed", "unopened"], Field(alias="if")]
    way: Literal["SMS", "Letter", "Email"]


FallbackMethod = Literal["Email", "SMS", "Letter", "Efaktura", "Einvoice", "EDI"]
Fallbacks = dict[FallbackMethod, Annotated[list[FallbackRule], Field(max_length=10)]]


class Account(Shape):
    callback_url: Url | None = None
    sign_key: str | None = None
    pdf_after_seconds: Whole = 0
    automatic_reminders: Reminders = Field(default_factory=list)
    default_reminder_fee: ReminderFee = INVOICE_DEFAULTS.default_reminder_fee
    default_interest_rate: Rate = INVOICE_DEFAULTS.default_interest_rate
    automatic_reminders_minimum_principal_sum: Fee | None = None
    use_automatic_reminders_partly_paid: bool = INVOICE_DEFAULTS.use_automatic_reminders_partly_paid
    automatic_writeoff: AutomaticWriteoff = AutomaticWriteoff()
    automatic_collection: AutomaticCollection = AutomaticCollection()
    soft_reminders: Reminders = Field(default_factory=list)
    collection_fee: Annotated[Number, Field(ge=0, le=statute.COLLECTION.kronor)] = statute.COLLECTION.kronor
    plan_fee: Annotated[Number, Field(ge=0, le=statute.INSTALMENT_PLAN.kronor)] = statute.INSTALMENT_PLAN.kronor
    fallbacks: Fallbacks = Field(default_factory=dict)


DEFAULTS: Json = Account().model_dump()


def load(database: Database) -> Json:
    return DEFAULTS | (database.get("account") or {}) | _from_settings(settings.load(database))


def change(database: Database, body: Json) -> Json:
    """URL and key are always replaced, other settings only if given."""
    shape = parse(Account, body)
    wanted = given_fields(shape)
    if "fallbacks" in wanted:
        wanted["fallbacks"] = shape.model_dump(by_alias=True, include={"fallbacks"})["fallbacks"]
    settings.change(database, {"invoices": {name: wanted.pop(name) for name in IN_SETTINGS if name in wanted}})
    database.put("account", (database.get("account") or {}) | ALWAYS_REPLACED | wanted)
    return load(database)


def _from_settings(own: Json) -> Json:
    return {name: own["invoices"][name] for name in IN_SETTINGS}
