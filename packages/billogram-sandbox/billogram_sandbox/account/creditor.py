"""Who sends the invoices: the name, numbers, and addresses that stand on them, as the account's settings have them."""

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


def creditor(database: Database) -> Creditor:
    own = settings.load(database)
    return Creditor(
        own["name"],
        own["org_no"],
        own["tax"]["vat_no"] or "",
        own["payment"]["bankgiro"] or "",
        *(own["address"][name] or "" for name in ("street_address", "zipcode", "city")),
        *(own["contact"][name] or "" for name in ("email", "phone")),
    )
