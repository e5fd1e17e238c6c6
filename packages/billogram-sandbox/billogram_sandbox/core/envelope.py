"""How Billogram answers: the envelope around data, and its errors with their identifiers and fields."""

from starlette.responses import Response

from billogram_sandbox.core.documents import Json, dump

Path = list[str | int]
NOTHING: Json = {}
"""What a handler returns that is answered with 204."""
NOT_AVAILABLE_YET = "NOT_AVAILABLE_YET"


class Problem(Exception):
    """A request refused in Billogram's own words."""

    def __init__(
        self, code: int, identifier: str, message: str, field: str | None = None, path: Path | None = None
    ) -> None:
        super().__init__(f"{identifier}: {message}")
        self.code = code
        located: Json = {} if field is None else {"field": field, "field_path": path}
        self.body: Json = {"status": identifier, "data": {"message": message, **located}}


def invalid(message: str, field: str, path: Path | None = None) -> Problem:
    return Problem(400, "INVALID_PARAMETER", message, field, path)


def bad_query(message: str, field: str) -> Problem:
    return Problem(400, "INVALID_QUERY_PARAMETER", message, field)


def wrong_state(message: str) -> Problem:
    return Problem(400, "INVALID_OBJECT_STATE", message)


def not_found(key: object) -> Problem:
    return Problem(404, "NOT_FOUND", f"object not found with id={key}")


def answer(body: object, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The official clients compare the content type exactly: it has no charset."""
    return Response(dump(body), code, headers, "application/json")


def nothing() -> Response:
    """It has its content type all the same: the official clients look for one in every answer."""
    return Response(status_code=204, media_type="application/json")


def html(text: str, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(f"<!doctype html>\n<html><body>{text}</body></html>\n", code, headers, media_type="text/html")
