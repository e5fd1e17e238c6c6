"""The portal as one ASGI app: its routes, its headers, its error pages."""

from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from avtal.portal import bills, contracts, login, static_files
from avtal.portal.security_headers import SecurityHeaders
from avtal.portal.sessions import Portal, login_required
from avtal.portal.templating import render_page

RETRY_SOON = {"Retry-After": "5"}


def portal_app(portal: Portal) -> Starlette:
    """To be mounted under PREFIX."""
    app = Starlette(
        routes=[
            Route("/", login_required(contracts.list_page)),
            Route("/contracts/{contract_id}", login_required(contracts.contract_page)),
            Route("/bills/{bill_id}", login_required(bills.bill_page)),
            Route("/login", login.login_page, methods=["GET"]),
            Route("/login", login.log_in, methods=["POST"]),
            Route("/logout", login.log_out, methods=["POST"]),
            *static_files.routes,
        ],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={
            HTTPException: _http_error,
            OperationalError: _store_unavailable,
            Exception: _internal_error,
        },
    )
    app.state.portal = portal
    return app


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for this type"
    return render_page(request, "error.html", error.status_code, headers=error.headers)


async def _store_unavailable(request: Request, _error: Exception) -> Response:
    return render_page(request, "error.html", 503, headers=RETRY_SOON)


async def _internal_error(request: Request, _error: Exception) -> Response:
    return render_page(request, "error.html", 500)
