"""The creditor as invoices show it, from the account's settings."""

from dataclasses import dataclass

from billogram_sandbox.account import settings
from billogram_sandbox.core.database import Database


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


def load_creditor(database: Database) -> Creditor:
    own = settings.load(database)
    return Creditor(
        own["name"],
        own["org_no"],
        own["tax"]["vat_no"] or "",
        own["payment"]["bankgiro"] or "",
        *(own["address"][name] or "" for name in ("street_address", "zipcode", "city")),
        *(own["contact"][name] or "" for name in ("email", "phone")),
    )
