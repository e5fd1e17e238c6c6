"""The reader's page: which address leads where, and what is answered. How it looks lives in the templates."""

import hashlib
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from billogram_sandbox.account.creditor import creditor
from billogram_sandbox.call import Call, base
from billogram_sandbox.core.documents import Json, dump
from billogram_sandbox.core.envelope import NOT_AVAILABLE_YET, Problem
from billogram_sandbox.reader import deeds, files, forms, pdfs
from billogram_sandbox.reader.rendering import HEADERS, Attempt, invoice, missing
from billogram_sandbox.reader.visits import Visit, note_opening, visit
from billogram_sandbox.sandbox import Sandbox

DEEDS: dict[str, Callable[[Call, Json, forms.Fields], str]] = {
    "pay": deeds.pay,
    "message": deeds.write,
    "channel": deeds.send_again,
}
UNPROCESSABLE = 422
PDF_HEADERS = {name: value for name, value in HEADERS.items() if name != "Content-Security-Policy"}
"""The browser's own viewer of PDFs runs scripts and styles of its own."""


class Pages:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def show(self, request: Request) -> Response:
        seen = visit(self._sandbox, request)
        if seen is None:
            return missing()
        note_opening(self._sandbox, request, seen.doc)
        tag = self._tag(seen)
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=HEADERS | {"ETag": tag})
        return invoice(self._sandbox, seen, tag, notice=request.query_params.get("done", ""))

    async def pdf(self, request: Request) -> Response:
        seen = visit(self._sandbox, request)
        if seen is None:
            return missing()
        number = request.query_params.get("invoice_no")
        try:
            content = pdfs.made(self._sandbox, seen.doc, base(request), seen.texts, invoice_no=number)
        except Problem as problem:
            return _back(seen, "pdf_later") if problem.body["status"] == NOT_AVAILABLE_YET else missing()
        name = f'inline; filename="{seen.doc["ocr_number"]}.pdf"'
        return Response(content, 200, PDF_HEADERS | {"Content-Disposition": name}, "application/pdf")

    async def do(self, request: Request) -> Response:
        """What was done is then read at the page's own address, so that reloading does nothing again."""
        sent = await _fields(request) if request.method == "POST" else None
        seen = visit(self._sandbox, request)
        if seen is None or request.path_params["deed"] not in DEEDS:
            return missing()
        if sent is None:
            return _back(seen)
        return self._done(seen, request, sent)

    def _done(self, seen: Visit, request: Request, sent: forms.Fields) -> Response:
        deed, call = request.path_params["deed"], Call(self._sandbox, base(request), {}, {}, {})
        try:
            with self._sandbox.database.transaction():
                notice = DEEDS[deed](call, dict(seen.doc), sent)
        except forms.Trouble as trouble:
            attempt = Attempt(deed, sent, trouble)
            return invoice(self._sandbox, seen, self._tag(seen), attempt=attempt, code=UNPROCESSABLE)
        return _back(seen, notice)

    def _tag(self, seen: Visit) -> str:
        """Of everything that the page depends on."""
        last = self._sandbox.database.scalar("SELECT max(seq) FROM events WHERE billogram_id = ?", seen.doc["id"])
        sender, today = creditor(self._sandbox.database), self._sandbox.clock.today()
        parts = (dump(seen.doc), last, seen.texts.language, sender, today, *files.ADDRESSES.values())
        return f'"{hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()}"'


def routes(sandbox: Sandbox) -> list[Route]:
    pages = Pages(sandbox)
    return [
        *files.routes,
        Route("/r/{ocr}/{token}", pages.show),
        Route("/r/{ocr}/{token}/invoice.pdf", pages.pdf),
        Route("/r/{ocr}/{token}/{deed}", pages.do, methods=["GET", "POST"]),
    ]


async def _fields(request: Request) -> dict[str, str]:
    forms.require_own(request)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > forms.BODY_BYTES_MAX:
            raise HTTPException(413)
    try:
        return forms.fields(body)
    except ValueError:
        raise HTTPException(400) from None


def _back(seen: Visit, notice: str = "") -> Response:
    query = [f"lang={seen.chosen}"] if seen.chosen else []
    query += [f"done={notice}"] if notice else []
    address = str(seen.doc["url"]) + ("?" + "&".join(query) if query else "") + ("#notice" if notice else "")
    return RedirectResponse(address, 303, HEADERS)
