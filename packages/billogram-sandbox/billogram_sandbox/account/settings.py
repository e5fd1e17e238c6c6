"""The account's settings: shown, changed in part, applied to billograms."""

from billogram_sandbox.core.database import Database
from billogram_sandbox.core.documents import Json, merge
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.rules.money import hundredths
from billogram_sandbox.shapes.settings import Business
from billogram_sandbox.shapes.values import given_fields, parse

DEFAULTS: Json = Business().model_dump()


def get(context: RequestContext) -> Json:
    return {"status": "OK", "data": load(context.sandbox.database)}


def update(context: RequestContext) -> Json:
    return {"status": "OK", "data": change(context.sandbox.database, context.body)}


def load(database: Database) -> Json:
    return merge(DEFAULTS, database.get("settings") or {})


def change(database: Database, body: Json) -> Json:
    """Objects are changed key by key. Nulls change nothing."""
    doc = merge(load(database), given_fields(parse(Business, body)))
    database.put("settings", doc)
    return doc


def fill_accounts(rows: list[Json], bookkeeping: Json) -> None:
    """A row without accounts gets those of its VAT rate, if there are any."""
    for row in rows:
        for name in ("income_account", "vat_account"):
            default = bookkeeping.get(f"{name}_for_vat_{hundredths(row['vat']).normalize():f}")
            row["bookkeeping"][name] = row["bookkeeping"][name] or default or ""
