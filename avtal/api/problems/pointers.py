"""Converts FastAPI's validation errors to field errors with JSON pointers (RFC 6901)."""

from collections.abc import Sequence

from fastapi.exceptions import RequestValidationError

from starter.errors import FieldError

MESSAGES = {"missing": "is required", "extra_forbidden": "no such field"}

Location = Sequence[str | int]


def invalid_fields(error: RequestValidationError) -> list[FieldError]:
    """One for each field: a union reports one error for each of its types."""
    messages: dict[str, list[str]] = {}
    for found in error.errors():
        message = MESSAGES.get(found["type"], found["msg"].removeprefix("Value error, "))
        messages.setdefault(_pointer(found["loc"], error.body), []).append(message)
    return [FieldError(pointer, ", or: ".join(dict.fromkeys(texts))) for pointer, texts in messages.items()]


def is_about_path(error: RequestValidationError) -> bool:
    return any(found["loc"][0] == "path" for found in error.errors())


def is_malformed(error: RequestValidationError) -> bool:
    return any(found["type"] == "json_invalid" for found in error.errors())


def _pointer(location: Location, body: object) -> str:
    """Ends where the body ends: below a value, pydantic appends the types that it tried."""
    source, *path = location
    steps = []
    value = body if source == "body" else {}
    for step in path:
        if not isinstance(value, dict | list):
            break
        steps.append(str(step).replace("~", "~0").replace("/", "~1"))
        value = _child(value, step)
    return "".join(f"/{step}" for step in steps)


def _child(value: dict[object, object] | list[object], step: str | int) -> object:
    if isinstance(value, dict):
        return value.get(step)
    return value[step] if isinstance(step, int) and step < len(value) else None
