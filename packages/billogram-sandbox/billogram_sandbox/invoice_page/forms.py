"""Parses the forms of the page, or raises their errors by field."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal
from urllib.parse import parse_qs

from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from billogram_sandbox.core.documents import Json
from billogram_sandbox.shapes.command import MESSAGE_MAX
from billogram_sandbox.shapes.customer import Address
from billogram_sandbox.shapes.values import Email

BODY_BYTES_MAX = 32_768
FIELDS_MAX = 20
TEXT_MAX = 100
PaidBy = Literal["swish", "card", "bankgiro"]
PAYMENTS: dict[str, PaidBy] = {"swish": "swish", "card": "card", "bank": "bankgiro"}
EMAIL_ADDRESS: TypeAdapter[str] = TypeAdapter(Email)
BLANK_ADDRESS: Json = Address().model_dump() | {"country": "SE"}
UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
Fields = Mapping[str, str]


@dataclass
class FormError(Exception):
    """The name of an error text by field, and the values for the texts."""

    errors: dict[str, str]
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Payment:
    method: PaidBy
    amount: Decimal


@dataclass(frozen=True)
class Channel:
    """A delivery method, and its change of the billogram's copy of the customer."""

    method: str
    change: Json


def parse_fields(body: bytes) -> dict[str, str]:
    """Raises ValueError for a body that no form sends."""
    read = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    return {name: _printable(values[0]) for name, values in read.items()}


def require_same_origin(request: Request) -> None:
    """Refuses forms of other sites, by the headers in which browsers name the origin."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise HTTPException(403)
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise HTTPException(403)


def payment(sent: Fields, remaining: Decimal) -> Payment:
    """`seen` is what remained when the page was rendered, so a double click does not pay twice."""
    errors: dict[str, str] = {}
    if sent.get("method") not in PAYMENTS:
        errors["method"] = "method_missing"
    amount = _amount(sent.get("amount", ""))
    if amount is None:
        errors["amount"] = "amount_bad"
    elif amount <= 0:
        errors["amount"] = "amount_small"
    elif sent.get("seen") != str(remaining):
        errors["amount"] = "changed"
    elif amount > remaining:
        errors["amount"] = "amount_over"
    if errors or amount is None:
        raise FormError(errors, {"remaining": remaining})
    return Payment(PAYMENTS[sent["method"]], amount)


def message(sent: Fields) -> str:
    text = sent.get("message", "").strip()
    if not text:
        raise FormError({"message": "message_empty"})
    if len(text) > MESSAGE_MAX:
        raise FormError({"message": "message_long"}, {"most": MESSAGE_MAX})
    return text


def channel(sent: Fields) -> Channel:
    way = sent.get("channel", "")
    if way == "Email":
        return Channel(way, _required(sent, "email", "email_bad", _is_email))
    if way == "SMS":
        return Channel(way, _required(sent, "phone", "phone_bad", _is_phone))
    if way != "Letter":
        raise FormError({"channel": "method_missing"})
    return Channel(way, {"address": _address(sent)})


def _address(sent: Fields) -> Json:
    errors: dict[str, str] = {}
    change: Json = {}
    for name, error, fits in (
        ("street_address", "street_bad", bool),
        ("zipcode", "zipcode_bad", _is_zipcode),
        ("city", "city_bad", bool),
    ):
        try:
            change |= _required(sent, name, error, fits)
        except FormError as form_error:
            errors |= form_error.errors
    if errors:
        raise FormError(errors)
    return BLANK_ADDRESS | change | {"zipcode": change["zipcode"].replace(" ", ""), "city": change["city"].upper()}


def _required(sent: Fields, name: str, error: str, fits: Callable[[str], bool]) -> Json:
    value = " ".join(sent.get(name, "").split())
    if not value or len(value) > TEXT_MAX or not fits(value):
        raise FormError({name: error})
    return {name: value}


def _is_email(text: str) -> bool:
    try:
        return bool(EMAIL_ADDRESS.validate_python(text))
    except ValidationError:
        return False


def _is_phone(text: str) -> bool:
    return bool(re.fullmatch(r"\+?[\d\s()-]{6,25}", text, re.ASCII)) and sum(map(str.isdecimal, text)) >= 6


def _is_zipcode(text: str) -> bool:
    return bool(re.fullmatch(r"\d{3} ?\d{2}", text, re.ASCII))


def _amount(text: str) -> Decimal | None:
    """With comma or point, and with spaces between thousands."""
    plain = re.sub(r"\s", "", text).replace(",", ".")
    if not re.fullmatch(r"-?\d{1,12}(\.\d{1,2})?", plain, re.ASCII):
        return None
    return Decimal(plain)


def _printable(text: str) -> str:
    """With uniform line breaks and without control characters."""
    return UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\t", " "))
