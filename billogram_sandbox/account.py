"""What Billogram keeps in its web settings alone: where callbacks go, and with which key they are signed.

The control plane sets with it how a billogram is reminded of by default, which the API keeps in its settings.
"""

from billogram_sandbox import settings
from billogram_sandbox.database import Database
from billogram_sandbox.documents import Json
from billogram_sandbox.settings_shapes import Fee, Ladder
from billogram_sandbox.shapes import Shape, Url, read

CALLBACKS: Json = {"callback_url": None, "sign_key": None}
REMINDERS = ("automatic_reminders", "default_reminder_fee")


class Account(Shape):
    callback_url: Url | None = None
    sign_key: str | None = None
    automatic_reminders: Ladder | None = None
    default_reminder_fee: Fee | None = None


def load(database: Database) -> Json:
    return CALLBACKS | (database.get("account") or {})


def change(database: Database, body: Json) -> Json:
    """The address and the key are always what is given; the rest stays as it was unless it is given."""
    given = read(Account, body).model_dump()
    told = {name: given[name] for name in CALLBACKS}
    database.put("account", told)
    reminders = {name: given[name] for name in REMINDERS if given[name] is not None}
    invoices = settings.change(database, {"invoices": reminders})["invoices"]
    return told | {name: invoices[name] for name in REMINDERS}
