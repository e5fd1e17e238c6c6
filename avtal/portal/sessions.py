"""Authenticates operators by the session cookie. Operators see only their own account."""

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
    """What the pages need. `clock` is the contracts' time; sessions and login attempts use `real_clock`."""

    database: Database
    clock: Clock
    real_clock: Clock


@dataclass(frozen=True)
class PageContext:
    """A request of an operator who is logged in."""

    portal: Portal
    request: Request
    operator: Operator

    @property
    def account(self) -> str:
        return self.operator.account


def portal_of(request: Request) -> Portal:
    portal = request.app.state.portal
    assert isinstance(portal, Portal), "set when the app is built"
    return portal


def login_required(page: Callable[[PageContext], Response]) -> Callable[[Request], Response]:
    """Redirects to the login page without a session; the login leads back."""

    def protected(request: Request) -> Response:
        portal = portal_of(request)
        operator = _operator_of(portal, request)
        if operator is None:
            return RedirectResponse(f"{PREFIX}/login?next={quote(_url_of(request), safe='')}", 303)
        request.state.operator = operator
        return page(PageContext(portal, request, operator))

    return protected


def _operator_of(portal: Portal, request: Request) -> Operator | None:
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        return None
    with portal.database.read() as session:
        return operator_of_session(session, token, portal.real_clock.now())


def _url_of(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
