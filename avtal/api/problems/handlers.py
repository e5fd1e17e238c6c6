"""Turns every error of the app into a problem response."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from avtal.api.problems.body_limit import BodyLimit
from avtal.api.problems.pointers import invalid_fields, is_about_path, is_malformed
from avtal.api.problems.problems import (
    BAD_REQUEST,
    INTERNAL,
    NOT_FOUND,
    NOT_JSON,
    OTHER_TERMS,
    REFUSED,
    STORE_UNAVAILABLE,
    TEMPORAL_UNAVAILABLE,
    TOO_LARGE,
    Problem,
    ProblemResponse,
    ProblemType,
    invalid,
)
from avtal.contracts.schedule import CommandRefused
from starter.errors import ContractNotFound, InvalidSale, TemporalUnavailable, TermsConflict

RETRY_SOON = {"Retry-After": "5"}
TYPES_BY_STATUS = {problem.status: problem for problem in (BAD_REQUEST, NOT_FOUND, TOO_LARGE)}
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
    """Also limits the size of the API's request bodies."""
    for error_type in HANDLED:
        app.add_exception_handler(error_type, _respond)
    app.add_middleware(BodyLimit)


def problem_of(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return _validation_problem(error)
        case HTTPException():
            return Problem(_type_of(error.status_code), error.detail, headers=error.headers)
        case OperationalError():
            return Problem(STORE_UNAVAILABLE, "the store does not respond; try again", headers=RETRY_SOON)
    return _domain_problem(error)


async def _respond(_request: Request, error: Exception) -> Response:
    return ProblemResponse(problem_of(error))


def _domain_problem(error: Exception) -> Problem:
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
            return Problem(TEMPORAL_UNAVAILABLE, str(error), headers=RETRY_SOON)
    return Problem(INTERNAL, "the log of the web process has the error")


def _validation_problem(error: RequestValidationError) -> Problem:
    if is_malformed(error):
        return Problem(BAD_REQUEST, "the body is not JSON")
    if isinstance(error.body, bytes):
        return Problem(NOT_JSON, "send the body with Content-Type: application/json")
    if is_about_path(error):
        return Problem(NOT_FOUND, "no such id")
    return invalid(*invalid_fields(error))


def _type_of(status: int) -> ProblemType:
    phrase = HTTPStatus(status).phrase
    return TYPES_BY_STATUS.get(status) or ProblemType(status, phrase.lower().replace(" ", "-"), phrase)
