"""The delivery method of a bill: the delivery table, row by row."""

import pytest

from avtal.contracts.delivery import Address, DeliveryMethod, Reach, choose_method, is_email, is_placeholder
from avtal.contracts.policy import Policy

ADDRESS = Address(street="Storgatan 1", zipcode="111 52", city="Stockholm")
PLACEHOLDERS = Policy().placeholder_domains

Named = DeliveryMethod | None


def choose(
    named: Named = None,
    default: DeliveryMethod = DeliveryMethod.EMAIL,
    *,
    email: str | None = None,
    address: Address | None = None,
    phone: str | None = None,
    edi_number: str | None = None,
    placeholders: tuple[str, ...] = PLACEHOLDERS,
) -> Named:
    reach = Reach(email=email, phone=phone, address=address, edi_number=edi_number)
    return choose_method(named, reach, default, placeholders)


@pytest.mark.parametrize("named", DeliveryMethod)
def test_the_contracts_method_overrides_the_default(named: DeliveryMethod) -> None:
    found = choose(named, email="a@example.com", address=ADDRESS, phone="0700000000", edi_number="7350001600000")

    assert found is named


@pytest.mark.parametrize(
    ("named", "lacking", "instead"),
    [
        (DeliveryMethod.EDI, "edi_number", DeliveryMethod.EMAIL),
        (DeliveryMethod.EMAIL, "email", DeliveryMethod.LETTER),
        (DeliveryMethod.LETTER, "address", DeliveryMethod.EMAIL),
        (DeliveryMethod.SMS, "phone", DeliveryMethod.EMAIL),
        (DeliveryMethod.EMAIL_AND_LETTER, "address", DeliveryMethod.EMAIL),
        (DeliveryMethod.EMAIL_AND_LETTER, "email", DeliveryMethod.LETTER),
        (DeliveryMethod.SMS_AND_LETTER, "phone", DeliveryMethod.EMAIL),
    ],
)
def test_a_method_without_its_data_is_ignored(named: Named, lacking: str, instead: Named) -> None:
    data: dict[str, object] = {"email": "a@example.com", "address": ADDRESS, "phone": "070", "edi_number": "735"}
    if named is not DeliveryMethod.EDI:
        data["edi_number"] = None
    reach = Reach.model_validate(data | {lacking: None})

    assert choose_method(named, reach, DeliveryMethod.EMAIL, PLACEHOLDERS) is instead


def test_an_edi_number_takes_precedence() -> None:
    found = choose(email="a@example.com", address=ADDRESS, phone="070", edi_number="7350001600000")

    assert found is DeliveryMethod.EDI


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_blank_edi_number_is_ignored(blank: str | None) -> None:
    assert choose(email="a@example.com", edi_number=blank) is DeliveryMethod.EMAIL


@pytest.mark.parametrize("default", DeliveryMethod)
def test_a_valid_email_address_selects_the_accounts_default(default: DeliveryMethod) -> None:
    found = choose(default=default, email="a@example.com", address=ADDRESS, phone="070")

    assert found is (DeliveryMethod.EMAIL if default is DeliveryMethod.EDI else default)


@pytest.mark.parametrize("default", sorted(set(DeliveryMethod) - {DeliveryMethod.EMAIL}))
def test_a_default_without_its_data_falls_back_to_email(default: DeliveryMethod) -> None:
    assert choose(default=default, email="a@example.com") is DeliveryMethod.EMAIL


@pytest.mark.parametrize(
    "email",
    [
        None,
        "",
        "no address",
        "a@b",
        "a@example.com ",
        "a@@example.com",
        "a@-example.com",
        "a@example..com",
        "a@example.com\n",
        "Anna <a@example.com>",
        "a@sesa.my",
        "A.B@SESA.MY",
        "a@x.sesa.my",
        "a@mail.x.Sesa.My",
    ],
)
def test_without_a_usable_email_address_the_bill_is_a_letter(email: str | None) -> None:
    assert choose(email=email, address=ADDRESS) is DeliveryMethod.LETTER
    assert choose(email=email) is None


@pytest.mark.parametrize("email", ["a@notsesa.my", "a@sesa.my.se", "sesa.my@example.com", "a@sesamy.com"])
def test_a_domain_similar_to_a_placeholder_is_not_one(email: str) -> None:
    assert choose(email=email, address=ADDRESS) is DeliveryMethod.EMAIL


def test_the_accounts_placeholder_domains_ignore_case() -> None:
    assert is_placeholder("a@Shop.Example.com", ["EXAMPLE.com"])
    assert not is_placeholder("a@sesa.my", ["example.com"])
    assert choose(email="a@example.com", placeholders=("example.com",)) is None


@pytest.mark.parametrize(
    "address",
    [None, Address(), *(ADDRESS.model_copy(update={part: " "}) for part in ("street", "zipcode", "city"))],
)
def test_an_incomplete_postal_address_is_not_used(address: Address | None) -> None:
    assert choose(address=address) is None
    assert choose(DeliveryMethod.LETTER, address=address) is None


def test_a_phone_number_is_used_only_if_the_contract_says_so() -> None:
    assert choose(phone="0700000000", default=DeliveryMethod.SMS) is None
    assert choose(DeliveryMethod.SMS, phone="0700000000") is DeliveryMethod.SMS


@pytest.mark.parametrize("email", ["anna+se@sub.example.co", "a_b.c-d@xn--ngstrm-gua.se", "å@example.se"])
def test_unusual_email_addresses_are_valid(email: str) -> None:
    assert is_email(email)


def test_an_email_address_has_at_most_254_characters() -> None:
    assert is_email("a" * 242 + "@example.com")
    assert not is_email("a" * 243 + "@example.com")
