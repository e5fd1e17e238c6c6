"""The static files of the page, with a hash in the URL, so browsers may cache them forever."""

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

STATIC = Path(__file__).parent / "static"
HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
TYPES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
CONTENTS = {name: (STATIC / name).read_bytes() for name in TYPES}
ADDRESSES = {name: f"/r/{name}?v={hashlib.sha256(content).hexdigest()[:12]}" for name, content in CONTENTS.items()}


def _route(name: str) -> Route:
    async def serve(_request: Request) -> Response:
        return Response(CONTENTS[name], media_type=TYPES[name], headers=HEADERS)

    return Route(f"/r/{name}", serve)


routes = [_route(name) for name in CONTENTS]
