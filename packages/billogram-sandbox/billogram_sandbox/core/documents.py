"""JSON documents: reading with Decimal, writing as numbers, merging. What a document means lives elsewhere."""

import json
from decimal import Decimal
from typing import Any

Json = dict[str, Any]  # Any: the values of a JSON object are whatever JSON holds


def load(text: str | bytes) -> Any:  # Any: the caller checks what kind of JSON came
    return DECODER.decode(text if isinstance(text, str) else text.decode(json.detect_encoding(text)))


def dump(value: object) -> str:
    return ENCODER.encode(value)


def require_unicode(value: object) -> None:
    """Raises ValueError for half of a surrogate pair, which JSON can write and no UTF-8 can."""
    json.dumps(value, default=str, ensure_ascii=False).encode()


def merged(old: Json, new: Json) -> Json:
    """Structures are merged key by key, everything else is replaced."""
    result = dict(old)
    for key, value in new.items():
        both = isinstance(value, dict) and isinstance(old.get(key), dict)
        result[key] = merged(old[key], value) if both else value
    return result


def _number(value: object) -> int | float:
    """A float here is only a way of writing: the shortest text of up to 15 digits is the decimal itself."""
    if not isinstance(value, Decimal):
        raise TypeError(f"not JSON: {value!r}")
    return int(value) if value == value.to_integral_value() else float(value)


def _no_constant(name: str) -> None:
    raise ValueError(f"not JSON: {name}")


# Made once: the module's own functions would make new ones for each document.
DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)
ENCODER = json.JSONEncoder(default=_number)
