"""What FastAPI finds wrong with a request, as fields with a JSON pointer (RFC 6901) each."""

from collections.abc import Sequence

from fastapi.exceptions import RequestValidationError

from starter.sale import FieldError

WORDS = {"missing": "is required", "extra_forbidden": "no such field"}

Location = Sequence[str | int]


def bad_fields(error: RequestValidationError) -> list[FieldError]:
    """One entry for each field, however many types it might have had."""
    found: dict[str, list[str]] = {}
    for one in error.errors():
        words = WORDS.get(one["type"], one["msg"].removeprefix("Value error, "))
        found.setdefault(_pointer(one["loc"], error.body), []).append(words)
    return [FieldError(pointer, ", or: ".join(dict.fromkeys(words))) for pointer, words in found.items()]


def is_about_path(error: RequestValidationError) -> bool:
    return any(one["loc"][0] == "path" for one in error.errors())


def is_malformed(error: RequestValidationError) -> bool:
    return any(one["type"] == "json_invalid" for one in error.errors())


def _pointer(location: Location, body: object) -> str:
    """Only as far as the body goes: below a value, pydantic names the types that it tried."""
    place, *path = location
    steps = []
    value = body if place == "body" else {}
    for step in path:
        if not isinstance(value, dict | list):
            break
        steps.append(str(step).replace("~", "~0").replace("/", "~1"))
        value = _below(value, step)
    return "".join(f"/{step}" for step in steps)


def _below(value: dict[object, object] | list[object], step: str | int) -> object:
    if isinstance(value, dict):
        return value.get(step)
    return value[step] if isinstance(step, int) and step < len(value) else None
