"""How a bill reaches its reader: the delivery table, first match wins (DLV-1 as the product narrows it).

    the contract names a method, and its data is there          that method
    an EDI number on the contract, else on the subscriber       EDI
    a valid e-mail address that is no placeholder               the account's default
    a complete postal address                                   Letter
    nothing usable                                              None: the bill is parked `undeliverable`

A placeholder is an address that a shop invents for readers without one: its domain, or a domain above it, is listed.
The account's default counts only if its own data is there; else that address is used, by Email.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

from avtal.contracts.frozen import Frozen

EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}")


class DeliveryMethod(StrEnum):
    """The names that Billogram uses too; the interface promises them."""

    EMAIL = "Email"
    LETTER = "Letter"
    EMAIL_AND_LETTER = "Email+Letter"
    SMS = "SMS"
    SMS_AND_LETTER = "SMS+Letter"
    EDI = "EDI"


class Address(Frozen):
    street: str = ""
    zipcode: str = ""
    city: str = ""
    country: str = "SE"

    @property
    def is_complete(self) -> bool:
        return bool(self.street.strip() and self.zipcode.strip() and self.city.strip())


class Reach(Frozen):
    """What we know of how to reach one reader about one contract."""

    email: str | None = None
    phone: str | None = None
    address: Address | None = None
    edi_number: str | None = None


def choose_method(
    named: DeliveryMethod | None, reach: Reach, default: DeliveryMethod, placeholder_domains: Sequence[str]
) -> DeliveryMethod | None:
    """The method by the table above, or None where nothing is usable."""
    usable = usable_methods(reach, placeholder_domains)
    if named in usable:
        return named
    if DeliveryMethod.EDI in usable:
        return DeliveryMethod.EDI
    if DeliveryMethod.EMAIL in usable:
        return default if default in usable else DeliveryMethod.EMAIL
    return DeliveryMethod.LETTER if DeliveryMethod.LETTER in usable else None


def usable_methods(reach: Reach, placeholder_domains: Sequence[str]) -> frozenset[DeliveryMethod]:
    """Every method whose data is there."""
    email = is_email(reach.email) and not is_placeholder(reach.email or "", placeholder_domains)
    letter = reach.address is not None and reach.address.is_complete
    phone = bool(reach.phone and reach.phone.strip())
    has_data = {
        DeliveryMethod.EMAIL: email,
        DeliveryMethod.LETTER: letter,
        DeliveryMethod.EMAIL_AND_LETTER: email and letter,
        DeliveryMethod.SMS: phone,
        DeliveryMethod.SMS_AND_LETTER: phone and letter,
        DeliveryMethod.EDI: bool(reach.edi_number and reach.edi_number.strip()),
    }
    return frozenset(method for method, there in has_data.items() if there)


def is_email(text: str | None) -> bool:
    return bool(text and len(text) <= 254 and EMAIL.fullmatch(text))


def is_placeholder(email: str, domains: Sequence[str]) -> bool:
    """Whether the domain of `email` is one of `domains` or lies under one; case does not matter."""
    domain = email.rpartition("@")[2].lower()
    return any(domain == listed.lower() or domain.endswith("." + listed.lower()) for listed in domains)
