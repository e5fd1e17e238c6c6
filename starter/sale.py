"""A sale as it comes from outside: every field checked, and each mistake named with a pointer to it (RFC 6901)."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError

from avtal.contracts.bills.invoice import Subscriber
from avtal.contracts.delivery import Address, DeliveryMethod
from avtal.contracts.money import Currency, Line, Money, agreed_total
from avtal.contracts.periods import Interval, IntervalUnit, boundary, civil_day, is_zone
from avtal.contracts.policy import Policy
from avtal.contracts.schedule import Schedule
from avtal.store.billing.sales import NewContract
from starter.json_schemas import ONE_LINE, ONE_LINE_WITH_A_WORD, POLICY, PRICE, VAT_RATE, ZONE

DAYS_BACK_MAX = 31
CIVIL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")


class FieldError(NamedTuple):
    pointer: str
    detail: str


class InvalidSale(ValueError):
    """What came from outside can't be used; `errors` says why, field by field."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.pointer}: {error.detail}" for error in errors))
        self.errors = list(errors)


class Input(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _price(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('write the amount as a string with at most 2 decimals, like "395.00"')
    return Money.parse(value, Currency.SEK).text


def _vat_rate(value: object) -> object:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole and not (isinstance(value, str) and PERCENT.fullmatch(value)):
        raise ValueError('write the rate in percent, as a whole number or a string like "25"')
    return value


def _civil_date(value: object) -> object:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not CIVIL_DATE.fullmatch(value):
        raise ValueError("write the date like 2027-03-31")
    return date.fromisoformat(value)


def _zone(value: object) -> object:
    if not isinstance(value, str) or not is_zone(value):
        raise ValueError("no such time zone; give an IANA name like Europe/Stockholm")
    return value


def _one_line(text: str) -> str:
    if any(unicodedata.category(sign) == "Cc" for sign in text):
        raise ValueError("holds a line break or another control character; leave it out")
    return text


Text = Annotated[
    str, Field(min_length=1, max_length=100, pattern=r"\S"), AfterValidator(_one_line), ONE_LINE_WITH_A_WORD
]
MaybeEmpty = Annotated[str, Field(max_length=100), AfterValidator(_one_line), ONE_LINE]
OptionalText = MaybeEmpty | None
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Price = Annotated[str, BeforeValidator(_price), PRICE]
VatRate = Annotated[str | int, BeforeValidator(_vat_rate), VAT_RATE]
CivilDate = Annotated[date, BeforeValidator(_civil_date)]
Zone = Annotated[str, BeforeValidator(_zone), ZONE]
PolicyOverride = Annotated[dict[str, object], POLICY]


class SaleAddress(Input):
    street: MaybeEmpty = ""
    zipcode: Annotated[str, Field(max_length=20), AfterValidator(_one_line), ONE_LINE] = ""
    city: MaybeEmpty = ""
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "SE"


class SubscriberData(Input):
    """The reader, without an id: the body of PUT /v1/subscribers/{subscriber_id}."""

    name: Text
    email: OptionalText = None
    phone: OptionalText = None
    edi_number: OptionalText = None
    company: StrictBool = False
    org_no: OptionalText = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = "sv"
    address: SaleAddress | None = None

    def subscriber(self, subscriber_id: str) -> Subscriber:
        address = Address(**self.address.model_dump()) if self.address else None
        data = self.model_dump(exclude={"address", "subscriber_id"})
        return Subscriber(subscriber_id=subscriber_id, address=address, **data)


class SaleSubscriber(SubscriberData):
    subscriber_id: Identifier


class SaleLine(Input):
    """One line. `quantity` is a whole number of pieces, `unit_price` kronor for one, `vat_rate` percent."""

    title: Text
    quantity: Annotated[int, Field(strict=True, ge=1, le=10_000)]
    unit_price: Price
    vat_rate: VatRate
    product: OptionalText = None


class SaleInterval(Input):
    unit: IntervalUnit
    count: Annotated[int, Field(strict=True, ge=1, le=120)] = 1


class Sale(Input):
    contract_id: Identifier
    subscriber: SaleSubscriber
    lines: Annotated[list[SaleLine], Field(min_length=1, max_length=50)]
    currency: Currency = Currency.SEK
    prices_include_vat: StrictBool = True
    interval: SaleInterval
    start_date: CivilDate | None = None
    time_zone: Zone = "Europe/Stockholm"
    fixed_periods: Annotated[int, Field(strict=True, ge=1, le=1200)] | None = None
    delivery_method: DeliveryMethod | None = None
    edi_number: OptionalText = None
    policy: PolicyOverride = {}


def parse_sale(body: object, now: datetime) -> NewContract:
    """The contract that a sale asks for. Raises InvalidSale."""
    try:
        sale = Sale.model_validate(body)
    except ValidationError as error:
        raise InvalidSale(field_errors(error)) from error
    lines, line_errors = lines_of(sale.lines, sale.currency)
    today = civil_day(now, sale.time_zone)
    errors = [*line_errors, *_start_errors(sale, today), *policy_errors(sale.policy, "/policy")]
    if not errors and agreed_total(lines, sale.prices_include_vat) < 0:
        errors = [FieldError("/lines", "the sum is negative; a sale can't owe the reader money")]
    if errors:
        raise InvalidSale(errors)
    return _new_contract(sale, lines, sale.start_date or today)


def field_errors(error: ValidationError, prefix: str = "") -> list[FieldError]:
    return [
        FieldError(prefix + "".join(f"/{part}" for part in one["loc"]), one["msg"].removeprefix("Value error, "))
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def policy_errors(changes: Mapping[str, object], prefix: str = "") -> list[FieldError]:
    """Why these changes of a policy can't be taken, field by field. Strictly: no number is written as text or false."""
    known = {name: value for name, value in changes.items() if name in Policy.model_fields}
    unknown = [FieldError(f"{prefix}/{name}", "no such field") for name in changes.keys() - known.keys()]
    try:
        Policy.model_validate_json(json.dumps(known), strict=True)
    except ValidationError as error:
        return sorted([*unknown, *field_errors(error, prefix)])
    return sorted(unknown)


def lines_of(asked: Sequence[SaleLine], currency: Currency) -> tuple[tuple[Line, ...], list[FieldError]]:
    lines: list[Line] = []
    errors: list[FieldError] = []
    for index, line in enumerate(asked):
        try:
            lines.append(_line(line, currency))
        except ValidationError as error:
            errors += field_errors(error, f"/lines/{index}")
    return tuple(lines), errors


def _line(line: SaleLine, currency: Currency) -> Line:
    return Line.model_validate(
        {
            "product": line.product or line.title,
            "title": line.title,
            "quantity": line.quantity,
            "unit_price_minor": Money.parse(line.unit_price, currency).minor,
            "vat_rate": line.vat_rate,
        }
    )


def _start_errors(sale: Sale, today: date) -> list[FieldError]:
    earliest = today - timedelta(days=DAYS_BACK_MAX)
    if sale.start_date is not None and sale.start_date < earliest:
        return [FieldError("/start_date", f"lies more than {DAYS_BACK_MAX} days back; give {earliest} or a later day")]
    try:
        boundary(sale.start_date or today, _interval(sale), (sale.fixed_periods or 1) + 1)
    except OverflowError:
        pointer = "/fixed_periods" if sale.fixed_periods else "/start_date"
        return [FieldError(pointer, "the calendar ends with the year 9999; give less")]
    return []


def _interval(sale: Sale) -> Interval:
    return Interval(unit=sale.interval.unit, count=sale.interval.count)


def _new_contract(sale: Sale, lines: tuple[Line, ...], start: date) -> NewContract:
    sent = sale.model_dump(mode="json", exclude={"subscriber"})
    return NewContract(
        contract_id=sale.contract_id,
        subscriber=sale.subscriber.subscriber(sale.subscriber.subscriber_id),
        schedule=Schedule(
            anchor=start,
            interval=_interval(sale),
            zone=sale.time_zone,
            fixed_periods=sale.fixed_periods,
        ),
        currency=sale.currency,
        prices_include_vat=sale.prices_include_vat,
        lines=lines,
        delivery_method=sale.delivery_method,
        edi_number=sale.edi_number,
        policy_override=dict(sale.policy),
        sale={**sent, "start_date": start.isoformat()},
        digest=hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest(),
    )
