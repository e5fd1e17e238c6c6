"""The ASGI application: routes, error handlers, and background tasks."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from billogram_sandbox.api import routes
from billogram_sandbox.api.middleware import ApiMiddleware, LoopbackMiddleware
from billogram_sandbox.api.openapi.page import documentation_routes
from billogram_sandbox.callbacks.sender import Sender
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import ApiError, ControlError, json_response
from billogram_sandbox.invoice_page.routes import invoice_page_routes
from billogram_sandbox.lifecycle import scheduler
from billogram_sandbox.request_context import endpoint
from billogram_sandbox.sandbox import Sandbox, Settings


def create_app(settings: Settings) -> Starlette:
    sandbox = Sandbox(settings)
    mounted = [
        Mount("/api/v2", _api(sandbox)),
        Mount("/sandbox", _control(sandbox)),
        *invoice_page_routes(sandbox),
        *documentation_routes(openapi),
    ]
    app = Starlette(routes=mounted, lifespan=_lifespan, exception_handlers={HTTPException: _http_error})
    app.state.sandbox = sandbox
    return app


@cache
def openapi() -> Json:
    """Built at the first request for it."""
    from billogram_sandbox.api.openapi.document import openapi_document  # noqa: PLC0415 - its imports take a tenth of a second

    return openapi_document(routes.API, routes.CONTROL)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    sandbox: Sandbox = app.state.sandbox
    tasks = [asyncio.create_task(scheduler.run(sandbox)), asyncio.create_task(Sender(sandbox).run())]
    for task in tasks:
        task.add_done_callback(_log_failure)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        sandbox.database.close()


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logging.getLogger("billogram_sandbox").error("a background task failed", exc_info=error)


def _api(sandbox: Sandbox) -> Starlette:
    return Starlette(
        routes=_routes(sandbox, routes.API),
        exception_handlers={ApiError: _api_error, HTTPException: _api_http_error},
        middleware=[Middleware(ApiMiddleware, sandbox=sandbox)],
    )


def _control(sandbox: Sandbox) -> Starlette:
    return Starlette(
        routes=_routes(sandbox, routes.CONTROL),
        exception_handlers={
            ApiError: _control_api_error,
            ControlError: _control_error,
            HTTPException: _control_http_error,
        },
        middleware=[Middleware(LoopbackMiddleware)],
    )


def _routes(sandbox: Sandbox, table: routes.Routes) -> list[Route]:
    return [Route(path, endpoint(sandbox, handler), methods=[verb]) for verb, path, handler in table]


async def _api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return json_response(error.body, error.code)


async def _api_http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    identifier = "METHOD_NOT_ALLOWED" if error.status_code == 405 else "NOT_FOUND"
    return json_response(
        ApiError(error.status_code, identifier, error.detail).body, error.status_code, dict(error.headers or {})
    )


async def _http_error(request: Request, error: Exception) -> Response:
    """For paths outside both planes, such as one with a line break."""
    return await (_control_http_error if request.url.path.startswith("/sandbox/") else _api_http_error)(request, error)


async def _control_api_error(_: Request, error: Exception) -> Response:
    """The control plane shares rules with the API, but not its envelope."""
    assert isinstance(error, ApiError)
    return json_response({"error": str(error)}, error.code)


async def _control_http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return json_response({"error": error.detail}, error.status_code, dict(error.headers or {}))


async def _control_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ControlError)
    return json_response({"error": str(error)}, error.code)
