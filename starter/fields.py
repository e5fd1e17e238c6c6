"""The field types of a sale: each checks its value here, and describes itself in OpenAPI."""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from avtal.contracts.money import Currency, Money
from avtal.contracts.periods import is_zone
from avtal.contracts.policy import Policy
from starter.errors import FieldError

CIVIL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")
CONTROL_CHARACTERS = r"\x00-\x1f\x7f-\x9f"
DOMAIN_PATTERN = r"^[^@ .]([^@]*[^@ .])?$"
VAT_RATE_PATTERN = r"^([0-9]{1,2}(\.[0-9]{1,2})?|100(\.0{1,2})?)$"


class Input(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _one_line(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError("holds a line break or another control character; leave it out")
    return text


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


def _schema(**keywords: object) -> Any:  # Any: pydantic's own type of a field
    return Field(json_schema_extra=keywords)  # type: ignore[arg-type] # JSON values only


def policy_fields() -> dict[str, Any]:  # Any: JSON schemas
    """The schema of each field of a policy, for bodies that may give only some of them."""
    schema = Policy.model_json_schema()
    fields = {name: _optional(field, schema["$defs"]) for name, field in schema["properties"].items()}
    fields["placeholder_domains"]["items"]["pattern"] = DOMAIN_PATTERN
    return fields


def _optional(field: Any, definitions: dict[str, Any]) -> Any:  # Any: a part of a JSON schema
    """Without references, and without the default: it does not apply where a field is left out."""
    if isinstance(field, list):
        return [_optional(item, definitions) for item in field]
    if not isinstance(field, dict):
        return field
    if "$ref" in field:
        return _optional(definitions[field["$ref"].rpartition("/")[2]], definitions)
    return {key: _optional(value, definitions) for key, value in field.items() if key not in ("default", "title")}


RequiredText = Annotated[
    str,
    Field(min_length=1, max_length=100, pattern=r"\S"),
    AfterValidator(_one_line),
    _schema(pattern=rf"^[^{CONTROL_CHARACTERS}]*[^\s{CONTROL_CHARACTERS}][^{CONTROL_CHARACTERS}]*$"),
]
_OneLine = _schema(pattern=rf"^[^{CONTROL_CHARACTERS}]*$")
ShortText = Annotated[str, Field(max_length=100), AfterValidator(_one_line), _OneLine]
Zipcode = Annotated[str, Field(max_length=20), AfterValidator(_one_line), _OneLine]
OptionalText = ShortText | None
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Price = Annotated[str, BeforeValidator(_price), _schema(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,2})?$", examples=["395.00"])]
VatRate = Annotated[
    str | int,
    BeforeValidator(_vat_rate),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 100},
                {"type": "string", "pattern": VAT_RATE_PATTERN},
            ]
        }
    ),
]
CivilDate = Annotated[date, BeforeValidator(_civil_date)]
Zone = Annotated[
    str, BeforeValidator(_zone), _schema(description="An IANA name", examples=["Europe/Stockholm", "Europe/Oslo"])
]
PolicyOverride = Annotated[
    dict[str, object],
    WithJsonSchema({"type": "object", "properties": policy_fields(), "additionalProperties": False}),
]


def field_errors(error: ValidationError, prefix: str = "") -> list[FieldError]:
    return [
        FieldError(prefix + "".join(f"/{part}" for part in one["loc"]), one["msg"].removeprefix("Value error, "))
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def policy_errors(changes: Mapping[str, object], prefix: str = "") -> list[FieldError]:
    """What is wrong with a change of policy, field by field. Strict: no number as text, and none as a boolean."""
    known = {name: value for name, value in changes.items() if name in Policy.model_fields}
    unknown = [FieldError(f"{prefix}/{name}", "no such field") for name in changes.keys() - known.keys()]
    try:
        Policy.model_validate_json(json.dumps(known), strict=True)
    except ValidationError as error:
        return sorted([*unknown, *field_errors(error, prefix)])
    return sorted(unknown)
