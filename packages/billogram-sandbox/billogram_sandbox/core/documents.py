"""JSON documents: read with Decimal, written as numbers, merged."""

import json
from decimal import Decimal
from typing import Any

Json = dict[str, Any]  # Any: the values of a JSON object are whatever JSON holds


def load(text: str | bytes) -> Any:  # Any: the caller checks the kind of JSON
    return DECODER.decode(text if isinstance(text, str) else text.decode(json.detect_encoding(text)))


def dump(value: object) -> str:
    return ENCODER.encode(value)


def require_unicode(value: object) -> None:
    """Raises ValueError for half of a surrogate pair, which JSON can write and no UTF-8 can."""
    json.dumps(value, default=str, ensure_ascii=False).encode()


def merge(old: Json, new: Json) -> Json:
    """Objects are merged key by key; all other values are replaced."""
    result = dict(old)
    for key, value in new.items():
        both = isinstance(value, dict) and isinstance(old.get(key), dict)
        result[key] = merge(old[key], value) if both else value
    return result


def _number(value: object) -> int | float:
    """The float is only written: its shortest text, for up to 15 digits, is the decimal."""
    if not isinstance(value, Decimal):
        raise TypeError(f"not JSON: {value!r}")
    return int(value) if value == value.to_integral_value() else float(value)


def _no_constant(name: str) -> None:
    raise ValueError(f"not JSON: {name}")


# Module level: the functions of `json` would create new ones for each document.
DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)
ENCODER = json.JSONEncoder(default=_number)
