"""What Billogram keeps in its web settings: where callbacks go, and with which key they are signed.

The control plane also sets here how a billogram is reminded of by default; that is kept in the settings of the API.
"""

from decimal import Decimal

from pydantic import Field

from billogram_sandbox import settings
from billogram_sandbox.database import Database
from billogram_sandbox.documents import Json
from billogram_sandbox.settings_shapes import Fee, Ladder
from billogram_sandbox.shapes import Shape, Url, given, read

IN_SETTINGS = ("automatic_reminders", "default_reminder_fee")
"""Under the same names there."""
ALWAYS_SET: Json = {"callback_url": None, "sign_key": None}


class Account(Shape):
    callback_url: Url | None = None
    sign_key: str | None = None
    automatic_reminders: Ladder = Field(default_factory=list)
    default_reminder_fee: Fee = Decimal(60)


DEFAULTS: Json = Account().model_dump()


def load(database: Database) -> Json:
    return DEFAULTS | (database.get("account") or {}) | _of_settings(settings.load(database))


def change(database: Database, body: Json) -> Json:
    """The address and the key are always what is given; the rest stays as it was unless it is given."""
    wanted = given(read(Account, body))
    settings.change(database, {"invoices": {name: wanted.pop(name) for name in IN_SETTINGS if name in wanted}})
    database.put("account", (database.get("account") or {}) | ALWAYS_SET | wanted)
    return load(database)


def _of_settings(own: Json) -> Json:
    return {name: own["invoices"][name] for name in IN_SETTINGS}
