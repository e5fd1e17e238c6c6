"""Problem details (RFC 9457): the types, the exception, the response, and the declaration in OpenAPI."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.responses import JSONResponse

from avtal.api.responses.bodies import ProblemBody
from starter.errors import FieldError

URN_PREFIX = "urn:avtal:problem:"
MEDIA_TYPE = "application/problem+json"


class ProblemType(NamedTuple):
    status: int
    slug: str
    title: str

    @property
    def urn(self) -> str:
        return URN_PREFIX + self.slug


BAD_REQUEST = ProblemType(400, "bad-request", "The request can't be read")
KEY_REFUSED = ProblemType(401, "key-refused", "The API key is missing or not known")
NOT_FOUND = ProblemType(404, "not-found", "No such object")
REFUSED = ProblemType(409, "refused", "The rules do not allow it")
OTHER_TERMS = ProblemType(409, "other-terms", "The contract was sold on other terms")
REFUND_NOT_POSSIBLE = ProblemType(409, "refund-not-possible", "An invoice payment can't be refunded here")
TOO_LARGE = ProblemType(413, "too-large", "The body is too large")
NOT_JSON = ProblemType(415, "not-json", "The body is not declared as JSON")
INVALID = ProblemType(422, "invalid", "The request has invalid fields")
INTERNAL = ProblemType(500, "internal", "Internal error")
TEMPORAL_UNAVAILABLE = ProblemType(503, "temporal-unavailable", "Temporal does not respond")
STORE_UNAVAILABLE = ProblemType(503, "store-unavailable", "The store does not respond")
NOT_READY = ProblemType(503, "not-ready", "A part is not ready")

DESCRIPTIONS = {
    problem.status: problem.title
    for problem in (BAD_REQUEST, KEY_REFUSED, NOT_FOUND, REFUSED, TOO_LARGE, NOT_JSON, INVALID)
} | {503: "Temporal or the store does not respond"}
HEADERS = {
    401: {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}},
    503: {"Retry-After": {"description": "In seconds", "schema": {"type": "integer"}}},
}
BODY_ERRORS = (BAD_REQUEST.status, TOO_LARGE.status, NOT_JSON.status)


class Problem(Exception):
    def __init__(
        self,
        type_: ProblemType,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.type = type_
        self.detail = detail
        self.errors = errors
        self.headers = headers


class ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE

    def __init__(self, problem: Problem) -> None:
        body = {
            "type": problem.type.urn,
            "title": problem.type.title,
            "status": problem.type.status,
            "detail": problem.detail,
            "errors": [error._asdict() for error in problem.errors],
        }
        super().__init__(body, problem.type.status, problem.headers)

    def render(self, content: object) -> bytes:
        """As ASCII: a refused field's name comes from outside, and may not be valid UTF-8."""
        return json.dumps(content).encode()


def invalid(*errors: FieldError) -> Problem:
    return Problem(INVALID, "; ".join(f"{error.pointer or 'the body'}: {error.detail}" for error in errors), errors)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:  # Any: FastAPI's own type
    """For `responses=` of a route: each of these statuses has a problem as its body."""
    content = {MEDIA_TYPE: {"schema": _schema()}}
    return {
        status: {"description": DESCRIPTIONS[status], "content": content, "headers": HEADERS.get(status, {})}
        for status in statuses
    }


def _schema() -> dict[str, Any]:  # Any: a JSON schema
    """Without references: OpenAPI resolves them against the whole document."""
    schema = ProblemBody.model_json_schema()
    schema["properties"]["errors"]["items"] = schema.pop("$defs")["FieldProblem"]
    return schema
