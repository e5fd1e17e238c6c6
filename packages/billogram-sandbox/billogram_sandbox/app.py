"""The ASGI application: which address leads where, and the tasks that run beside the requests."""

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

from billogram_sandbox.api import register_routes
from billogram_sandbox.api.documentation import documentation
from billogram_sandbox.api.gates import ApiGate, LoopbackGate
from billogram_sandbox.call import Handler, endpoint
from billogram_sandbox.callbacks import events
from billogram_sandbox.callbacks.sender import Sender
from billogram_sandbox.control_plane import collector, control, outside, payments
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import Problem, answer
from billogram_sandbox.life import billograms, commands, drafts, timeline
from billogram_sandbox.reader import page, pdfs
from billogram_sandbox.registers import customers
from billogram_sandbox.sandbox import Sandbox, Settings

API: list[tuple[str, str, Handler]] = [
    ("GET", "/customer", customers.listing),
    ("POST", "/customer", customers.create),
    ("GET", "/customer/{id}", customers.get),
    ("PUT", "/customer/{id}", customers.update),
    ("GET", "/billogram", billograms.listing),
    ("POST", "/billogram", drafts.create),
    ("GET", "/billogram/{id}.pdf", pdfs.get),
    ("GET", "/billogram/{id}", billograms.get),
    ("PUT", "/billogram/{id}", drafts.update),
    ("DELETE", "/billogram/{id}", drafts.delete),
    ("POST", "/billogram/{id}/command/{command}", commands.run),
    ("GET", "/billogram_event", events.listing),
    *register_routes.API,
]
CONTROL: list[tuple[str, str, Handler]] = [
    ("GET", "/clock", control.clock),
    ("POST", "/clock", control.move_clock),
    ("PUT", "/account", control.set_account),
    ("POST", "/billograms/{id}/pay", outside.pay),
    ("POST", "/billograms/{id}/requests", outside.request_payment),
    ("GET", "/requests/{id}", outside.requested_payment),
    ("POST", "/requests/{id}", outside.settle_request),
    ("POST", "/billograms/{id}/recall", outside.recall),
    ("POST", "/billograms/{id}/delivery", outside.tell_delivery),
    ("GET", "/billograms/{id}/collector", collector.books),
    ("POST", "/billograms/{id}/collector", collector.tell),
    ("GET", "/payments", payments.listing),
    ("POST", "/payments", payments.receive),
    ("POST", "/payments/{id}/allocate", payments.allocate),
    ("GET", "/billograms", control.list_billograms),
    ("GET", "/callbacks", control.list_callbacks),
    ("GET", "/faults", control.faults),
    ("PUT", "/faults", control.set_faults),
    ("GET", "/stats", control.stats),
    ("POST", "/stats/reset", control.reset_stats),
    ("POST", "/reset", control.reset),
    *register_routes.CONTROL,
]


def create_app(settings: Settings) -> Starlette:
    sandbox = Sandbox(settings)
    routes = [
        Mount("/api/v2", _api(sandbox)),
        Mount("/sandbox", _control(sandbox)),
        *page.routes(sandbox),
        *documentation(described),
    ]
    app = Starlette(routes=routes, lifespan=_lifespan, exception_handlers={HTTPException: _miss})
    app.state.sandbox = sandbox
    return app


@cache
def described() -> Json:
    """The OpenAPI description of all this, made when somebody asks for it."""
    from billogram_sandbox.api.openapi import description  # noqa: PLC0415 - it takes a tenth of a second

    return description(API, CONTROL)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    sandbox: Sandbox = app.state.sandbox
    tasks = [asyncio.create_task(timeline.run(sandbox)), asyncio.create_task(Sender(sandbox).run())]
    for task in tasks:
        task.add_done_callback(_note_failure)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        sandbox.database.close()


def _note_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logging.getLogger("billogram_sandbox").error("a background task ended", exc_info=error)


def _api(sandbox: Sandbox) -> Starlette:
    return Starlette(
        routes=_routes(sandbox, API),
        exception_handlers={Problem: _api_problem, HTTPException: _api_miss},
        middleware=[Middleware(ApiGate, sandbox=sandbox)],
    )


def _control(sandbox: Sandbox) -> Starlette:
    return Starlette(
        routes=_routes(sandbox, CONTROL),
        exception_handlers={Problem: _control_problem, control.Refusal: _refused, HTTPException: _control_miss},
        middleware=[Middleware(LoopbackGate)],
    )


def _routes(sandbox: Sandbox, table: list[tuple[str, str, Handler]]) -> list[Route]:
    return [Route(path, endpoint(sandbox, handler), methods=[verb]) for verb, path, handler in table]


async def _api_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(error.body, error.code)


async def _api_miss(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    identifier = "METHOD_NOT_ALLOWED" if error.status_code == 405 else "NOT_FOUND"
    return answer(
        Problem(error.status_code, identifier, error.detail).body, error.status_code, dict(error.headers or {})
    )


async def _miss(request: Request, error: Exception) -> Response:
    """Of an address that leads to neither: a line break in it is enough."""
    return await (_control_miss if request.url.path.startswith("/sandbox/") else _api_miss)(request, error)


async def _control_problem(_: Request, error: Exception) -> Response:
    """The control plane shares rules with the API, not its envelope."""
    assert isinstance(error, Problem)
    return answer({"error": str(error)}, error.code)


async def _control_miss(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answer({"error": error.detail}, error.status_code, dict(error.headers or {}))


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, control.Refusal)
    return answer({"error": str(error)}, error.code)
