"""Responses of both planes, and Billogram's errors with identifier and field."""

from starlette.responses import Response

from billogram_sandbox.core.documents import Json, dump

Path = list[str | int]
NO_CONTENT: Json = {}
"""A handler returns it for a 204."""
NOT_AVAILABLE_YET = "NOT_AVAILABLE_YET"


class ApiError(Exception):
    """A request that is refused with one of Billogram's errors."""

    def __init__(
        self, code: int, identifier: str, message: str, field: str | None = None, path: Path | None = None
    ) -> None:
        super().__init__(f"{identifier}: {message}")
        self.code = code
        located: Json = {} if field is None else {"field": field, "field_path": path}
        self.body: Json = {"status": identifier, "data": {"message": message, **located}}


class ControlError(Exception):
    """A request that the control plane refuses."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def invalid(message: str, field: str, path: Path | None = None) -> ApiError:
    return ApiError(400, "INVALID_PARAMETER", message, field, path)


def bad_query(message: str, field: str) -> ApiError:
    return ApiError(400, "INVALID_QUERY_PARAMETER", message, field)


def wrong_state(message: str) -> ApiError:
    return ApiError(400, "INVALID_OBJECT_STATE", message)


def not_found(key: object) -> ApiError:
    return ApiError(404, "NOT_FOUND", f"object not found with id={key}")


def json_response(body: object, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Without a charset: the official clients compare the content type exactly."""
    return Response(dump(body), code, headers, "application/json")


def no_content() -> Response:
    """With a content type: the official clients expect one in every response."""
    return Response(status_code=204, media_type="application/json")


def html_response(text: str, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(f"<!doctype html>\n<html><body>{text}</body></html>\n", code, headers, media_type="text/html")
