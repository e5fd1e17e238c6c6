"""Who sends the invoices: the name, numbers, and addresses that stand on them, as the account's settings have them."""

from dataclasses import dataclass

from billogram_sandbox.database import Database
from billogram_sandbox.documents import Json, merged

MADE_UP: Json = {
    "name": "Sandlådans Tidning AB",
    "org_no": "556677-8899",
    "tax": {"vat_no": "SE556677889901"},
    "payment": {"bankgiro": "991-2346"},
    "address": {"street_address": "Tryckerigatan 1", "zipcode": "11122", "city": "Stockholm"},
    "contact": {"email": "kundtjanst@tidning.example", "phone": "08-465 004 00"},
}
"""Nobody's; the check digits are right, and the telephone number is one that is kept for fiction."""


@dataclass(frozen=True)
class Creditor:
    name: str
    org_no: str
    vat_no: str
    bankgiro: str
    street_address: str
    zipcode: str
    city: str
    email: str
    phone: str


def creditor(database: Database) -> Creditor:
    settings = merged(MADE_UP, database.get("settings") or {})
    return Creditor(
        settings["name"],
        settings["org_no"],
        settings["tax"]["vat_no"] or "",
        settings["payment"]["bankgiro"] or "",
        *(settings["address"][name] or "" for name in ("street_address", "zipcode", "city")),
        *(settings["contact"][name] or "" for name in ("email", "phone")),
    )
