"""The few files that the page loads, each named by its contents, so that a browser may keep it for ever."""

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

HERE = Path(__file__).parent
HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
TYPES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
FILES = {name: (HERE / name).read_bytes() for name in TYPES}
ADDRESSES = {name: f"/r/{name}?v={hashlib.sha256(content).hexdigest()[:12]}" for name, content in FILES.items()}


def _answer(name: str) -> Route:
    async def answer(_request: Request) -> Response:
        return Response(FILES[name], media_type=TYPES[name], headers=HEADERS)

    return Route(f"/r/{name}", answer)


routes = [_answer(name) for name in FILES]
