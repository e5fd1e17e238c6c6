"""The portal as one ASGI app; the composition root of the web builds what it works with, and mounts it."""

from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from avtal.portal import bills, contracts, login
from avtal.portal import static_files as files
from avtal.portal.security_headers import SafeHeaders
from avtal.portal.sessions import Portal, for_operators
from avtal.portal.templating import page

__all__ = ["Portal", "portal_app"]

SOON = {"Retry-After": "5"}


def portal_app(portal: Portal) -> Starlette:
    """To be mounted under PREFIX."""
    app = Starlette(
        routes=[
            Route("/", for_operators(contracts.start)),
            Route("/contracts/{contract_id}", for_operators(contracts.one)),
            Route("/bills/{bill_id}", for_operators(bills.one)),
            Route("/login", login.form, methods=["GET"]),
            Route("/login", login.enter, methods=["POST"]),
            Route("/logout", login.leave, methods=["POST"]),
            *files.routes,
        ],
        middleware=[Middleware(SafeHeaders)],
        exception_handlers={HTTPException: _refused, OperationalError: _store_away, Exception: _mistake},
    )
    app.state.portal = portal
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for this one"
    return page(request, "error.html", error.status_code, headers=error.headers)


async def _store_away(request: Request, _error: Exception) -> Response:
    return page(request, "error.html", 503, headers=SOON)


async def _mistake(request: Request, _error: Exception) -> Response:
    return page(request, "error.html", 500)
