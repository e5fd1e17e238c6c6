"""Who sends the invoices: the name, numbers, and address that stand on them."""

from dataclasses import dataclass

from billogram_sandbox.database import Database


@dataclass(frozen=True)
class Creditor:
    """The numbers are made up; their check digits are right."""

    name: str = "Sandlådans Tidning AB"
    org_no: str = "556677-8899"
    vat_no: str = "SE556677889901"
    bankgiro: str = "991-2346"
    street_address: str = "Tryckerigatan 1"
    zipcode: str = "11122"
    city: str = "Stockholm"
    email: str = "kundtjanst@tidning.example"
    phone: str = "08-465 004 00"


def creditor(_: Database) -> Creditor:
    return Creditor()
