"""Value types of request bodies, and parsing with Billogram's errors."""

import re
from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import ApiError, Path, invalid


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("not a number")
    return value


def _day(text: str) -> str:
    day = date.fromisoformat(text)
    if not 1900 <= day.year < 9000:
        raise ValueError("not a year from 1900 to 8999")
    return day.isoformat()


def _email(text: str) -> str:
    if text and not re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", text):
        raise ValueError("not a valid e-mail address")
    return text


def _org_no(text: str) -> str:
    if text and not re.fullmatch(r"(\d\d)?\d{6}[-+]?\d{4}", text):
        raise ValueError("not a valid organisation or personal number")
    return text


def _zipcode(text: str) -> str:
    return text.replace(" ", "")


# At most fifteen digits: more do not survive the JSON numbers of most languages. Numeric strings are numbers.
Number = Annotated[Decimal, BeforeValidator(_no_boolean), Field(max_digits=15, decimal_places=6)]
Amount = Annotated[Decimal, BeforeValidator(_no_boolean), Field(gt=0, max_digits=15, decimal_places=2)]
Percent = Annotated[Number, Field(ge=0, le=100, decimal_places=2)]
Whole = Annotated[int, BeforeValidator(_no_boolean), Field(ge=0, le=10**9)]
Positive = Annotated[Whole, Field(gt=0)]
Days = Annotated[Whole, Field(le=9999)]
Day = Annotated[str, AfterValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Email = Annotated[str, AfterValidator(_email)]
OrgNo = Annotated[str, AfterValidator(_org_no)]
Country = Annotated[str, Field(pattern=r"^([A-Z]{2})?$")]
Zipcode = Annotated[str, AfterValidator(_zipcode)]
Method = Literal["Email", "Letter", "Email+Letter", "SMS", "SMS+Letter", "Efaktura", "Einvoice", "EDI", "DoNotNotify"]
Url = Annotated[str, Field(pattern=r"^https?://.")]
Stamp = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")]
Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Text = str | None


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _drop_null_objects(cls, value: object) -> object:
        """An object that is null is left out."""
        if not isinstance(value, dict) or None not in value.values():
            return value
        return {key: each for key, each in value.items() if each is not None or not cls._is_object(key)}

    @classmethod
    def _is_object(cls, key: str) -> bool:
        field = cls.model_fields.get(key)
        return field is not None and isinstance(field.default, BaseModel)


S = TypeVar("S", bound=Shape)


def parse(shape: type[S], body: Json, read_only: Collection[str] = ()) -> S:
    """Top-level nulls are left out. A bad body raises ApiError."""
    given_fields = {key: value for key, value in body.items() if value is not None}
    for key in given_fields:
        if key in read_only:
            raise ApiError(400, "READ_ONLY_PARAMETER", f"read-only key: {key}", key)
    try:
        return shape.model_validate(given_fields)
    except ValidationError as error:
        raise _api_error(error) from None


def given_fields(shape: Shape) -> Json:
    """The fields that the caller gave. Elements of lists are complete: lists are replaced, not merged."""
    return {name: _given_value(getattr(shape, name)) for name in shape.model_fields_set}


def _given_value(value: object) -> object:
    if isinstance(value, list):
        return [each.model_dump() if isinstance(each, Shape) else each for each in value]
    return given_fields(value) if isinstance(value, Shape) else value


def _api_error(error: ValidationError) -> ApiError:
    first = error.errors(include_url=False)[0]
    *path, last = first["loc"]
    field, containers = str(last), Path(path)
    if first["type"] == "extra_forbidden":
        return ApiError(400, "UNKNOWN_PARAMETER", f"unexpected key: {field}", field, containers)
    if first["type"] in ("missing", "string_too_short", "too_short"):
        return invalid(f"{field.replace('_', ' ').capitalize()} not set", field, containers or None)
    return invalid(first["msg"].removeprefix("Value error, "), field, containers or None)
