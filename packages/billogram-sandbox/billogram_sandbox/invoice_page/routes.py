"""The routes of the invoice page: the page, its PDFs, and its forms."""

import hashlib
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from billogram_sandbox.account.creditor import load_creditor
from billogram_sandbox.core.documents import Json, dump
from billogram_sandbox.core.envelope import NOT_AVAILABLE_YET, ApiError
from billogram_sandbox.invoice_page import actions, assets, forms
from billogram_sandbox.invoice_page.pdf import download
from billogram_sandbox.invoice_page.rendering import HEADERS, FormAttempt, invoice_page, missing_page
from billogram_sandbox.invoice_page.visits import Visit, open_visit, publish_opening
from billogram_sandbox.request_context import RequestContext, base_url
from billogram_sandbox.sandbox import Sandbox

ACTIONS: dict[str, Callable[[RequestContext, Json, forms.Fields], str]] = {
    "pay": actions.pay,
    "message": actions.write_message,
    "channel": actions.resend,
}
UNPROCESSABLE = 422
PDF_HEADERS = {name: value for name, value in HEADERS.items() if name != "Content-Security-Policy"}
"""The browser's PDF viewer runs its own scripts and styles."""


class Pages:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def show(self, request: Request) -> Response:
        visit = open_visit(self._sandbox, request)
        if visit is None:
            return missing_page()
        publish_opening(self._sandbox, request, visit.doc)
        tag = self._tag(visit)
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=HEADERS | {"ETag": tag})
        return invoice_page(self._sandbox, visit, tag, notice=request.query_params.get("done", ""))

    async def pdf(self, request: Request) -> Response:
        visit = open_visit(self._sandbox, request)
        if visit is None:
            return missing_page()
        number = request.query_params.get("invoice_no")
        try:
            content = download.letter_pdf(self._sandbox, visit.doc, base_url(request), visit.texts, invoice_no=number)
        except ApiError as problem:
            return _redirect(visit, "pdf_later") if problem.body["status"] == NOT_AVAILABLE_YET else missing_page()
        name = f'inline; filename="{visit.doc["ocr_number"]}.pdf"'
        return Response(content, 200, PDF_HEADERS | {"Content-Disposition": name}, "application/pdf")

    async def act(self, request: Request) -> Response:
        """Redirects to the page, so that a reload repeats nothing."""
        sent = await _form_fields(request) if request.method == "POST" else None
        visit = open_visit(self._sandbox, request)
        if visit is None or request.path_params["action"] not in ACTIONS:
            return missing_page()
        if sent is None:
            return _redirect(visit)
        return self._perform(visit, request, sent)

    def _perform(self, visit: Visit, request: Request, sent: forms.Fields) -> Response:
        action, context = request.path_params["action"], RequestContext(self._sandbox, base_url(request), {}, {}, {})
        try:
            with self._sandbox.database.transaction():
                notice = ACTIONS[action](context, dict(visit.doc), sent)
        except forms.FormError as form_error:
            attempt = FormAttempt(action, sent, form_error)
            return invoice_page(self._sandbox, visit, self._tag(visit), attempt=attempt, code=UNPROCESSABLE)
        return _redirect(visit, notice)

    def _tag(self, visit: Visit) -> str:
        """A hash of everything that the page depends on."""
        last = self._sandbox.database.scalar("SELECT max(seq) FROM events WHERE billogram_id = ?", visit.doc["id"])
        sender, today = load_creditor(self._sandbox.database), self._sandbox.clock.today()
        parts = (dump(visit.doc), last, visit.texts.language, sender, today, *assets.ADDRESSES.values())
        return f'"{hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()}"'


def invoice_page_routes(sandbox: Sandbox) -> list[Route]:
    pages = Pages(sandbox)
    return [
        *assets.routes,
        Route("/r/{ocr}/{token}", pages.show),
        Route("/r/{ocr}/{token}/invoice.pdf", pages.pdf),
        Route("/r/{ocr}/{token}/{action}", pages.act, methods=["GET", "POST"]),
    ]


async def _form_fields(request: Request) -> dict[str, str]:
    forms.require_same_origin(request)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > forms.BODY_BYTES_MAX:
            raise HTTPException(413)
    try:
        return forms.parse_fields(body)
    except ValueError:
        raise HTTPException(400) from None


def _redirect(visit: Visit, notice: str = "") -> Response:
    query = [f"lang={visit.chosen}"] if visit.chosen else []
    query += [f"done={notice}"] if notice else []
    address = str(visit.doc["url"]) + ("?" + "&".join(query) if query else "") + ("#notice" if notice else "")
    return RedirectResponse(address, 303, HEADERS)
