"""Serves the PDFs of a billogram's letters, in the API and on the page."""

import base64
from datetime import UTC, datetime, timedelta

from billogram_sandbox.account import web_settings
from billogram_sandbox.account.creditor import load_creditor
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import NOT_AVAILABLE_YET, ApiError, not_found
from billogram_sandbox.invoice_page.language.selection import texts_of
from billogram_sandbox.invoice_page.language.texts import Texts
from billogram_sandbox.invoice_page.pdf.letters import find_letter
from billogram_sandbox.registers import billograms
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.sandbox import Sandbox


def get(context: RequestContext) -> Json:
    doc = billograms.load_one(context.sandbox, context.path["id"])
    wanted = context.query.get("letter_id"), context.query.get("invoice_no")
    content = letter_pdf(context.sandbox, doc, context.base_url, texts_of(context.sandbox, doc), *wanted)
    return {"status": "OK", "data": {"content": base64.b64encode(content).decode(), "file_type": "application/pdf"}}


def letter_pdf(
    sandbox: Sandbox, doc: Json, base: str, texts: Texts, letter_id: str | None = None, invoice_no: str | None = None
) -> bytes:
    """Raises ApiError if there is none, or none yet."""
    wanted = find_letter(sandbox, doc, letter_id, invoice_no)
    if wanted is None:
        raise not_found(letter_id or invoice_no or doc["id"])
    wait = timedelta(seconds=web_settings.load(sandbox.database)["pdf_after_seconds"])
    if sandbox.clock.now() < datetime.fromisoformat(wanted.at).replace(tzinfo=UTC) + wait:
        raise ApiError(404, NOT_AVAILABLE_YET, "the PDF is being made")
    from billogram_sandbox.invoice_page.pdf import document  # noqa: PLC0415 - reportlab loads slowly, and is rarely needed

    return document.render_letter(doc, texts, load_creditor(sandbox.database), wanted, base + doc["url"])
