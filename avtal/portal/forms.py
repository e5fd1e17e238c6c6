"""Protects forms against CSRF: the field `form_key` is derived from a cookie that no other site can read."""

import hashlib
import hmac
import secrets
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from avtal.portal.sessions import PREFIX, SESSION_COOKIE

FORM_COOKIE = "avtal_form"
BODY_BYTES_MAX = 8_192
FIELDS_MAX = 10


def form_key(secret: str) -> str:
    return hmac.new(secret.encode(), b"avtal form", hashlib.sha256).hexdigest()


def form_secret(request: Request) -> str | None:
    """The session's token, or before the login the form cookie."""
    return request.cookies.get(SESSION_COOKIE) or request.cookies.get(FORM_COOKIE)


def new_secret() -> str:
    return secrets.token_urlsafe(32)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form from one of our pages. Raises HTTPException 400, 403, or 413."""
    fields = _fields(await _body(request))
    secret = form_secret(request)
    sent = fields.get("form_key", "").encode("utf-8", "replace")
    if secret is None or not hmac.compare_digest(sent, form_key(secret).encode()):
        raise HTTPException(403)
    return fields


def set_cookie(request: Request, response: Response, name: str, value: str, seconds: int | None = None) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path=PREFIX, secure=is_secure(request), httponly=True, samesite="lax"
    )


def delete_cookie(request: Request, response: Response, name: str) -> None:
    response.delete_cookie(name, path=PREFIX, secure=is_secure(request), httponly=True, samesite="lax")


def is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise HTTPException(413)
    return body


def _fields(body: bytes) -> dict[str, str]:
    try:
        values = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise HTTPException(400) from None
    return {name: found[0] for name, found in values.items()}
