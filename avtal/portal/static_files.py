"""The few files that the pages load, each named by its contents, so that a browser may keep it for ever."""

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

HERE = Path(__file__).parent
KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
TYPES = {"style.css": "text/css", "icon.svg": "image/svg+xml"}
FILES = {name: (HERE / name).read_bytes() for name in TYPES}


def address(name: str) -> str:
    """Below the portal's prefix."""
    return f"/{name}?v={hashlib.sha256(FILES[name]).hexdigest()[:12]}"


def _answer(name: str) -> Route:
    async def answer(_request: Request) -> Response:
        return Response(FILES[name], media_type=TYPES[name], headers=KEPT)

    return Route(f"/{name}", answer)


routes = [_answer(name) for name in FILES]
