"""Serves the stylesheet and the icon. Their URLs hold a hash of the contents, so browsers may cache them forever."""

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

HERE = Path(__file__).parent
CACHE_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
TYPES = {"style.css": "text/css", "icon.svg": "image/svg+xml"}
FILES = {name: (HERE / name).read_bytes() for name in TYPES}


def url(name: str) -> str:
    """Relative to the portal's prefix."""
    return f"/{name}?v={hashlib.sha256(FILES[name]).hexdigest()[:12]}"


def _route(name: str) -> Route:
    async def serve(_request: Request) -> Response:
        return Response(FILES[name], media_type=TYPES[name], headers=CACHE_FOREVER)

    return Route(f"/{name}", serve)


routes = [_route(name) for name in FILES]
