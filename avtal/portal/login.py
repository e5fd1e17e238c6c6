"""Logs operators in and out: a user name and a password open a session of twelve hours."""

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from avtal.portal.forms import FORM_COOKIE, delete_cookie, form_secret, new_secret, read_form, set_cookie
from avtal.portal.sessions import PREFIX, SESSION_COOKIE, Portal, portal_of
from avtal.portal.templating import render_page
from avtal.store.accounts.operators import (
    SESSION_DURATION,
    TooManyAttempts,
    clear_attempts,
    close_session,
    open_session,
    password_hash_of,
    record_attempt,
)
from avtal.store.accounts.passwords import is_right

HOME = f"{PREFIX}/"
LENGTH_MAX = 200
HASHES_MAX = 2
"""In parallel: hashing a password takes 20 MB and a tenth of a second. Other logins wait without holding a thread."""

_hashing = CapacityLimiter(HASHES_MAX)


def login_page(request: Request) -> Response:
    return _render(request, request.query_params.get("next", ""))


async def log_in(request: Request) -> Response:
    fields = await read_form(request)
    name, password = fields.get("user", "").strip(), fields.get("password", "")
    next_url = fields.get("next", "")
    try:
        token = await to_thread.run_sync(_open_session, portal_of(request), name, password, limiter=_hashing)
    except TooManyAttempts:
        return _render(request, next_url, "too_many_attempts", 429, name)
    if token is None:
        return _render(request, next_url, "wrong_password", 403, name)
    response = RedirectResponse(_within_portal(next_url), 303)
    set_cookie(request, response, SESSION_COOKIE, token, int(SESSION_DURATION.total_seconds()))
    delete_cookie(request, response, FORM_COOKIE)
    return response


async def log_out(request: Request) -> Response:
    await read_form(request)
    await to_thread.run_sync(_close_session, portal_of(request), request.cookies.get(SESSION_COOKIE, ""))
    response = RedirectResponse(f"{PREFIX}/login", 303)
    delete_cookie(request, response, SESSION_COOKIE)
    return response


def _render(
    request: Request, next_url: str, login_error: str | None = None, status: int = 200, name: str = ""
) -> Response:
    secret = form_secret(request) or new_secret()
    response = render_page(
        request, "login.html", status, secret=secret, login_error=login_error, next=_within_portal(next_url), user=name
    )
    if form_secret(request) is None:
        set_cookie(request, response, FORM_COOKIE, secret)
    return response


def _open_session(portal: Portal, name: str, password: str) -> str | None:
    """The token of a new session; None if name or password is wrong. Raises TooManyAttempts."""
    if not name or not name.isprintable() or max(len(name), len(password)) > LENGTH_MAX:
        return None
    now = portal.real_clock.now()
    with portal.database.write() as session:
        record_attempt(session, name, now)
    with portal.database.read() as session:
        password_hash = password_hash_of(session, name)
    if not is_right(password, password_hash):
        return None
    with portal.database.write() as session:
        clear_attempts(session, name)
        return open_session(session, name, now)


def _close_session(portal: Portal, token: str) -> None:
    with portal.database.write() as session:
        close_session(session, token)


def _within_portal(url: str) -> str:
    """The URL if it is a page of the portal, else the start page: no open redirect."""
    is_page = url.startswith(HOME) and url.isprintable() and "\\" not in url
    return url if is_page else HOME
