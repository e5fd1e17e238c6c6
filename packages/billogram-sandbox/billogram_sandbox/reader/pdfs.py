"""The PDFs of a billogram's letters: when there are any, and how the API gives them. What stands on them: pdf."""

import base64
from datetime import UTC, datetime, timedelta

from billogram_sandbox.account import web_settings
from billogram_sandbox.account.creditor import creditor
from billogram_sandbox.call import Call
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import NOT_AVAILABLE_YET, Problem, not_found
from billogram_sandbox.life import billograms
from billogram_sandbox.reader.letters import letter
from billogram_sandbox.reader.texts import Texts
from billogram_sandbox.reader.visits import texts_for
from billogram_sandbox.sandbox import Sandbox


def get(call: Call) -> Json:
    doc = billograms.load_one(call.sandbox, call.path["id"])
    wanted = call.query.get("letter_id"), call.query.get("invoice_no")
    content = made(call.sandbox, doc, call.base, texts_for(call.sandbox, doc), *wanted)
    return {"status": "OK", "data": {"content": base64.b64encode(content).decode(), "file_type": "application/pdf"}}


def made(
    sandbox: Sandbox, doc: Json, base: str, texts: Texts, letter_id: str | None = None, invoice_no: str | None = None
) -> bytes:
    """Raises Problem if there is none, or none yet."""
    wanted = letter(sandbox, doc, letter_id, invoice_no)
    if wanted is None:
        raise not_found(letter_id or invoice_no or doc["id"])
    wait = timedelta(seconds=web_settings.load(sandbox.database)["pdf_after_seconds"])
    if sandbox.clock.now() < datetime.fromisoformat(wanted.at).replace(tzinfo=UTC) + wait:
        raise Problem(404, NOT_AVAILABLE_YET, "the PDF is being made")
    from billogram_sandbox.reader import pdf  # noqa: PLC0415 - its library loads slowly, and few need it

    return pdf.made(doc, texts, creditor(sandbox.database), wanted, base + doc["url"])
