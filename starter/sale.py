"""Sells a contract: checks the sale, and stores it. It is durable when `sell` returns; the web process then starts the
contract's workflow."""

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, NamedTuple

from pydantic import Field, StrictBool, ValidationError
from sqlalchemy.exc import IntegrityError

from avtal.contracts.bills.invoice import Subscriber
from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.money import Currency, Line, Money, agreed_total
from avtal.contracts.periods import Interval, IntervalUnit, boundary, civil_day
from avtal.contracts.schedule import Schedule
from avtal.store.billing.sales import NewContract, SaleOutcome, record_sale
from avtal.store.engine.database import Database
from starter.errors import FieldError, InvalidSale, TermsConflict
from starter.fields import (
    CivilDate,
    Identifier,
    Input,
    OptionalText,
    PolicyOverride,
    Price,
    RequiredText,
    ShortText,
    VatRate,
    Zipcode,
    Zone,
    field_errors,
    policy_errors,
)

DAYS_BACK_MAX = 31


class SaleResult(NamedTuple):
    contract_id: str
    is_new: bool


def sell(database: Database, account: str, body: object, now: datetime) -> SaleResult:
    """`body` is a `Sale`, or the same as a dict. The same sale again finds the same contract and changes nothing.

    Raises InvalidSale, TermsConflict."""
    contract = parse_sale(body, now)
    try:
        outcome = _store(database, account, contract, now)
    except IntegrityError:
        # Another process stored the same sale or the same subscriber at this moment; the second try finds it.
        outcome = _store(database, account, contract, now)
    if outcome is SaleOutcome.OTHER_TERMS:
        raise TermsConflict(
            f"the contract {contract.contract_id} was sold on other terms; give a sale a new contract_id"
        )
    return SaleResult(contract.contract_id, outcome is SaleOutcome.NEW)


class SaleAddress(Input):
    street: ShortText = ""
    zipcode: Zipcode = ""
    city: ShortText = ""
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "SE"


class SubscriberData(Input):
    """A subscriber without its id: the body of PUT /v1/subscribers/{subscriber_id}."""

    name: RequiredText
    email: OptionalText = None
    phone: OptionalText = None
    edi_number: OptionalText = None
    company: StrictBool = False
    org_no: OptionalText = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = "sv"
    address: SaleAddress | None = None

    def subscriber(self, subscriber_id: str) -> Subscriber:
        """Only the fields that were sent are set; a sale changes no others."""
        data = self.model_dump(exclude={"subscriber_id"}, exclude_unset=True)
        return Subscriber(**data | {"subscriber_id": subscriber_id})


class SaleSubscriber(SubscriberData):
    subscriber_id: Identifier


class SaleLine(Input):
    """One line. `quantity` is a whole number, `unit_price` is in the contract's currency, `vat_rate` in percent."""

    title: RequiredText
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
    """Checks everything, stores nothing. Raises InvalidSale."""
    try:
        sale = Sale.model_validate(body)
    except ValidationError as error:
        raise InvalidSale(field_errors(error)) from error
    lines, line_errors = parse_lines(sale.lines, sale.currency)
    today = civil_day(now, sale.time_zone)
    errors = [*line_errors, *_start_errors(sale, today), *policy_errors(sale.policy, "/policy")]
    if not errors and agreed_total(lines, sale.prices_include_vat) < 0:
        errors = [FieldError("/lines", "the sum is negative; a sale can't owe the subscriber money")]
    if errors:
        raise InvalidSale(errors)
    return _new_contract(sale, lines, sale.start_date or today)


def parse_lines(sale_lines: Sequence[SaleLine], currency: Currency) -> tuple[tuple[Line, ...], list[FieldError]]:
    lines: list[Line] = []
    errors: list[FieldError] = []
    for index, line in enumerate(sale_lines):
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
    terms = sale.model_dump(mode="json", exclude={"subscriber"})
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
        current_terms={**terms, "start_date": start.isoformat()},
        digest=hashlib.sha256(json.dumps(terms, sort_keys=True).encode()).hexdigest(),
    )


def _store(database: Database, account: str, contract: NewContract, now: datetime) -> SaleOutcome:
    with database.write() as session:
        return record_sale(session, account, contract, now)
