"""In and out: an operator's user name and password for a session of twelve hours."""

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from avtal.portal.forms import FORM_COOKIE, drop_cookie, new_secret, read_form, secret_of, set_cookie
from avtal.portal.sessions import PREFIX, SESSION_COOKIE, Portal, portal_of
from avtal.portal.templating import page
from avtal.store.accounts.operators import (
    SESSION_LASTS,
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
PASSWORDS_AT_ONCE = 2
"""Looking at a password takes 20 MB and a tenth of a second; the others wait without holding a thread."""

_looking = CapacityLimiter(PASSWORDS_AT_ONCE)


def form(request: Request) -> Response:
    return _form(request, request.query_params.get("next", ""))


async def enter(request: Request) -> Response:
    fields = await read_form(request)
    name, password = fields.get("user", "").strip(), fields.get("password", "")
    wanted = fields.get("next", "")
    try:
        token = await to_thread.run_sync(_try, portal_of(request), name, password, limiter=_looking)
    except TooManyAttempts:
        return _form(request, wanted, "too_many_tries", 429, name)
    if token is None:
        return _form(request, wanted, "wrong_password", 403, name)
    response = RedirectResponse(_safe(wanted), 303)
    set_cookie(request, response, SESSION_COOKIE, token, int(SESSION_LASTS.total_seconds()))
    drop_cookie(request, response, FORM_COOKIE)
    return response


async def leave(request: Request) -> Response:
    await read_form(request)
    await to_thread.run_sync(_leave, portal_of(request), request.cookies.get(SESSION_COOKIE, ""))
    response = RedirectResponse(f"{PREFIX}/login", 303)
    drop_cookie(request, response, SESSION_COOKIE)
    return response


def _form(request: Request, wanted: str, last_error: str | None = None, status: int = 200, name: str = "") -> Response:
    secret = secret_of(request) or new_secret()
    response = page(request, "login.html", status, secret=secret, last_error=last_error, next=_safe(wanted), user=name)
    if secret_of(request) is None:
        set_cookie(request, response, FORM_COOKIE, secret)
    return response


def _try(portal: Portal, name: str, password: str) -> str | None:
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


def _leave(portal: Portal, token: str) -> None:
    with portal.database.write() as session:
        close_session(session, token)


def _safe(wanted: str) -> str:
    """Only pages of ours, whatever a link says."""
    is_ours = wanted.startswith(HOME) and wanted.isprintable() and "\\" not in wanted
    return wanted if is_ours else HOME
