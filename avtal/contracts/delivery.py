"""Chooses the delivery method of a bill. The first row that matches (DLV-1):

    the contract names a method, and its data is there          that method
    an EDI number on the contract, else on the subscriber       EDI
    a valid e-mail address that is not a placeholder            the account's default
    a complete postal address                                   Letter
    nothing usable                                              None: the bill is parked `undeliverable`

A placeholder is an address that a shop makes up for subscribers without one: its domain, or a parent domain, is listed.
The account's default method is used only if its own data is there; else the bill goes by Email.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

from avtal.contracts.frozen import Frozen

EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}")


class DeliveryMethod(StrEnum):
    """Billogram's own names."""

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
    """The addresses of one subscriber for one contract."""

    email: str | None = None
    phone: str | None = None
    address: Address | None = None
    edi_number: str | None = None


def choose_method(
    named: DeliveryMethod | None, reach: Reach, default: DeliveryMethod, placeholder_domains: Sequence[str]
) -> DeliveryMethod | None:
    """The method by the table above, or None if no address is usable."""
    usable = usable_methods(reach, placeholder_domains)
    if named in usable:
        return named
    if DeliveryMethod.EDI in usable:
        return DeliveryMethod.EDI
    if DeliveryMethod.EMAIL in usable:
        return default if default in usable else DeliveryMethod.EMAIL
    return DeliveryMethod.LETTER if DeliveryMethod.LETTER in usable else None


def usable_methods(reach: Reach, placeholder_domains: Sequence[str]) -> frozenset[DeliveryMethod]:
    """Every method whose address is complete."""
    email = is_email(reach.email) and not is_placeholder(reach.email or "", placeholder_domains)
    letter = reach.address is not None and reach.address.is_complete
    phone = bool(reach.phone and reach.phone.strip())
    usable = {
        DeliveryMethod.EMAIL: email,
        DeliveryMethod.LETTER: letter,
        DeliveryMethod.EMAIL_AND_LETTER: email and letter,
        DeliveryMethod.SMS: phone,
        DeliveryMethod.SMS_AND_LETTER: phone and letter,
        DeliveryMethod.EDI: bool(reach.edi_number and reach.edi_number.strip()),
    }
    return frozenset(method for method, is_usable in usable.items() if is_usable)


def is_email(text: str | None) -> bool:
    return bool(text and len(text) <= 254 and EMAIL.fullmatch(text))


def is_placeholder(email: str, domains: Sequence[str]) -> bool:
    """Whether the domain of `email` is one of `domains` or lies under one; case does not matter."""
    domain = email.rpartition("@")[2].lower()
    return any(domain == listed.lower() or domain.endswith("." + listed.lower()) for listed in domains)
