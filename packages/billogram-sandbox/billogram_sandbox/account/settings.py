"""The account's settings as the API has them: shown, changed in part, and what billograms take from them."""

from billogram_sandbox.call import Call
from billogram_sandbox.core.database import Database
from billogram_sandbox.core.documents import Json, merged
from billogram_sandbox.rules.money import hundredths
from billogram_sandbox.shapes.settings import Business
from billogram_sandbox.shapes.values import given, read

DEFAULTS: Json = Business().model_dump()


def get(call: Call) -> Json:
    return {"status": "OK", "data": load(call.sandbox.database)}


def update(call: Call) -> Json:
    return {"status": "OK", "data": change(call.sandbox.database, call.body)}


def load(database: Database) -> Json:
    return merged(DEFAULTS, database.get("settings") or {})


def change(database: Database, body: Json) -> Json:
    """Structures are changed key by key; what is null or left out stays."""
    doc = merged(load(database), given(read(Business, body)))
    database.put("settings", doc)
    return doc


def booked(rows: list[Json], bookkeeping: Json) -> None:
    """A row that names no accounts gets those of its VAT rate, where there are any."""
    for row in rows:
        for name in ("income_account", "vat_account"):
            usual = bookkeeping.get(f"{name}_for_vat_{hundredths(row['vat']).normalize():f}")
            row["bookkeeping"][name] = row["bookkeeping"][name] or usual or ""
