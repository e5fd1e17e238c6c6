"""Which error becomes which problem; every error of the app leaves it through here."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from avtal.api.problems.body_limit import BodyLimit
from avtal.api.problems.pointers import bad_fields, is_about_path, is_malformed
from avtal.api.problems.problems import (
    BAD_REQUEST,
    INTERNAL,
    NOT_FOUND,
    NOT_JSON,
    OTHER_TERMS,
    REFUSED,
    STORE_AWAY,
    TEMPORAL_AWAY,
    TOO_LARGE,
    Kind,
    Problem,
    ProblemResponse,
    invalid,
)
from avtal.contracts.schedule import CommandRefused
from starter.commands import ContractNotFound, TemporalUnavailable
from starter.sale import InvalidSale
from starter.sales import TermsConflict

SOON = {"Retry-After": "5"}
KINDS_BY_STATUS = {kind.status: kind for kind in (BAD_REQUEST, NOT_FOUND, TOO_LARGE)}
HANDLED: tuple[type[Exception], ...] = (
    Problem,
    InvalidSale,
    TermsConflict,
    CommandRefused,
    ContractNotFound,
    TemporalUnavailable,
    OperationalError,
    RequestValidationError,
    HTTPException,
    Exception,
)


def install_problems(app: FastAPI) -> None:
    """Every error of this app is answered as a problem, and the API's bodies are limited."""
    for kind in HANDLED:
        app.add_exception_handler(kind, _answer)
    app.add_middleware(BodyLimit)


def problem_of(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return _unusable(error)
        case HTTPException():
            return Problem(_kind_of(error.status_code), error.detail, headers=error.headers)
        case OperationalError():
            return Problem(STORE_AWAY, "the store does not answer; ask again", headers=SOON)
    return _refused(error)


async def _answer(_request: Request, error: Exception) -> Response:
    return ProblemResponse(problem_of(error))


def _refused(error: Exception) -> Problem:
    match error:
        case InvalidSale():
            return invalid(*error.errors)
        case TermsConflict():
            return Problem(OTHER_TERMS, str(error))
        case CommandRefused():
            return Problem(REFUSED, str(error))
        case ContractNotFound():
            return Problem(NOT_FOUND, str(error))
        case TemporalUnavailable():
            return Problem(TEMPORAL_AWAY, str(error), headers=SOON)
    return Problem(INTERNAL, "the log of the web process tells more")


def _unusable(error: RequestValidationError) -> Problem:
    if is_malformed(error):
        return Problem(BAD_REQUEST, "the body is not JSON")
    if isinstance(error.body, bytes):
        return Problem(NOT_JSON, "send the body with Content-Type: application/json")
    if is_about_path(error):
        return Problem(NOT_FOUND, "no object has such an id")
    return invalid(*bad_fields(error))


def _kind_of(status: int) -> Kind:
    phrase = HTTPStatus(status).phrase
    return KINDS_BY_STATUS.get(status) or Kind(status, phrase.lower().replace(" ", "-"), phrase)
