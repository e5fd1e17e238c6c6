"""Problems (RFC 9457): their kinds, how one is raised and sent, and how OpenAPI declares them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.responses import JSONResponse

from avtal.api.responses.models import ProblemBody
from starter.sale import FieldError

TYPE_PREFIX = "urn:avtal:problem:"
MEDIA_TYPE = "application/problem+json"


class Kind(NamedTuple):
    status: int
    slug: str
    title: str

    @property
    def type(self) -> str:
        return TYPE_PREFIX + self.slug


BAD_REQUEST = Kind(400, "bad-request", "The request can't be read")
KEY_REFUSED = Kind(401, "key-refused", "The API key is missing or not known")
NOT_FOUND = Kind(404, "not-found", "There is no such thing")
REFUSED = Kind(409, "refused", "The rules do not allow it")
OTHER_TERMS = Kind(409, "other-terms", "The contract was sold on other terms")
REFUND_NOT_POSSIBLE = Kind(409, "refund-not-possible", "An invoice payment can't be refunded here")
TOO_LARGE = Kind(413, "too-large", "The body is too large")
NOT_JSON = Kind(415, "not-json", "The body is not declared as JSON")
INVALID = Kind(422, "invalid", "Something in the request can't be used")
INTERNAL = Kind(500, "internal", "A mistake of ours")
TEMPORAL_AWAY = Kind(503, "temporal-away", "Temporal does not answer")
STORE_AWAY = Kind(503, "store-away", "The store does not answer")
NOT_READY = Kind(503, "not-ready", "A part is not ready")

DESCRIPTIONS = {
    kind.status: kind.title for kind in (BAD_REQUEST, KEY_REFUSED, NOT_FOUND, REFUSED, TOO_LARGE, NOT_JSON, INVALID)
} | {503: "Temporal or the store does not answer"}
HEADERS = {
    401: {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}},
    503: {"Retry-After": {"description": "In seconds", "schema": {"type": "integer"}}},
}
READS_BODY = (BAD_REQUEST.status, TOO_LARGE.status, NOT_JSON.status)


class Problem(Exception):
    def __init__(
        self, kind: Kind, detail: str, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.headers = headers


class ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE

    def __init__(self, problem: Problem) -> None:
        kind = problem.kind
        answer = {
            "type": kind.type,
            "title": kind.title,
            "status": kind.status,
            "detail": problem.detail,
            "errors": [error._asdict() for error in problem.errors],
        }
        super().__init__(answer, kind.status, problem.headers)

    def render(self, content: object) -> bytes:
        """ASCII: the name of a refused field comes from outside, and may hold what no UTF-8 can say."""
        return json.dumps(content).encode()


def invalid(*errors: FieldError) -> Problem:
    return Problem(INVALID, "; ".join(f"{error.pointer or 'the body'}: {error.detail}" for error in errors), errors)


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:  # Any: FastAPI's own type
    """For `responses=`: these statuses are answered with a problem."""
    content = {MEDIA_TYPE: {"schema": _schema()}}
    return {
        status: {"description": DESCRIPTIONS[status], "content": content, "headers": HEADERS.get(status, {})}
        for status in statuses
    }


def _schema() -> dict[str, Any]:  # Any: a JSON schema
    """Without references, which would have to point into the whole document."""
    schema = ProblemBody.model_json_schema()
    schema["properties"]["errors"]["items"] = schema.pop("$defs")["FieldProblem"]
    return schema
