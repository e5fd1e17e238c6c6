"""Who visits: an operator, known by the session's cookie, who sees the own account and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from avtal.store.accounts.operators import Operator, operator_of_session
from avtal.store.engine.clock import Clock
from avtal.store.engine.database import Database

PREFIX = "/portal"
SESSION_COOKIE = "avtal_session"


@dataclass(frozen=True)
class Portal:
    """What the pages work with. `clock` is the contracts' time; sessions and tries go by `real_clock`."""

    database: Database
    clock: Clock
    real_clock: Clock


@dataclass(frozen=True)
class Visit:
    portal: Portal
    request: Request
    operator: Operator

    @property
    def account(self) -> str:
        return self.operator.account


def portal_of(request: Request) -> Portal:
    portal = request.app.state.portal
    assert isinstance(portal, Portal), "the app was made with one"
    return portal


def for_operators(answer: Callable[[Visit], Response]) -> Callable[[Request], Response]:
    """The page for whoever has logged in; anyone else is asked to, and comes back."""

    def answered(request: Request) -> Response:
        portal = portal_of(request)
        operator = operator_of(portal, request)
        if operator is None:
            return RedirectResponse(f"{PREFIX}/login?next={quote(_here(request), safe='')}", 303)
        request.state.operator = operator
        return answer(Visit(portal, request, operator))

    return answered


def operator_of(portal: Portal, request: Request) -> Operator | None:
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        return None
    with portal.database.read() as session:
        return operator_of_session(session, token, portal.real_clock.now())


def _here(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
