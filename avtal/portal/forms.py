"""Forms that only our own pages can send: the field `form_key` follows from a cookie that no other site can read."""

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


def secret_of(request: Request) -> str | None:
    """Of the visitor's forms: the session's while there is one, else that of the login page."""
    return request.cookies.get(SESSION_COOKIE) or request.cookies.get(FORM_COOKIE)


def new_secret() -> str:
    return secrets.token_urlsafe(32)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form that one of our pages has sent; raises HTTPException 400, 403, or 413."""
    fields = _fields(await _body(request))
    secret = secret_of(request)
    sent = fields.get("form_key", "").encode("utf-8", "replace")
    if secret is None or not hmac.compare_digest(sent, form_key(secret).encode()):
        raise HTTPException(403)
    return fields


def set_cookie(request: Request, response: Response, name: str, value: str, seconds: int | None = None) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path=PREFIX, secure=is_secure(request), httponly=True, samesite="lax"
    )


def drop_cookie(request: Request, response: Response, name: str) -> None:
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
        read = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise HTTPException(400) from None
    return {name: values[0] for name, values in read.items()}
