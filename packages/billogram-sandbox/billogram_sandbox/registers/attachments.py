"""The PDF attached to a billogram: stored beside it, removed with it."""

from collections.abc import Collection

from billogram_sandbox.core.content import decode_file, encode_file
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import ApiError, not_found
from billogram_sandbox.registers import billograms
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.command import Attach
from billogram_sandbox.shapes.values import parse

PDF_TYPES = {b"%PDF-": "application/pdf"}
TABLE = "attachments"


def get(context: RequestContext) -> Json:
    doc = billograms.load_one(context.sandbox, context.path["id"])
    content = context.sandbox.database.scalar(f"SELECT content FROM {TABLE} WHERE billogram_id = ?", doc["id"])
    if content is None:
        raise not_found(f"{doc['id']}/attachment.pdf")
    attachment = {"filename": doc["attachment"], "file_type": PDF_TYPES[b"%PDF-"], "content": encode_file(content)}
    return {"status": "OK", "data": attachment}


def attach(context: RequestContext, doc: Json, body: Json) -> None:
    wanted = parse(Attach, body)
    _store(context.sandbox, doc, wanted.filename, wanted.content)
    billograms.save(context.sandbox, doc, context.sandbox.clock.now())


def apply_fields(sandbox: Sandbox, doc: Json, given: Collection[str], name: str | None, content: str | None) -> None:
    """Applies the fields of a billogram: content with a name stores, a name alone renames, null removes."""
    if content is not None:
        if not (name or doc["attachment"]):
            raise ApiError(400, "INVALID_PARAMETER_COMBINATION", "attachment_content needs attachment", "attachment")
        _store(sandbox, doc, name or doc["attachment"], content)
    elif "attachment" in given and name is None:
        remove(sandbox, doc["id"])
        doc["attachment"] = None
    elif name is not None and name != doc["attachment"]:
        if doc["attachment"] is None:
            text = "attachment needs attachment_content"
            raise ApiError(400, "INVALID_PARAMETER_COMBINATION", text, "attachment_content")
        doc["attachment"] = name


def remove(sandbox: Sandbox, billogram_id: str) -> None:
    sandbox.database.execute(f"DELETE FROM {TABLE} WHERE billogram_id = ?", billogram_id)


def _store(sandbox: Sandbox, doc: Json, name: str, text: str) -> None:
    file = decode_file(text, PDF_TYPES)
    sandbox.database.execute(f"INSERT OR REPLACE INTO {TABLE} VALUES (?, ?)", doc["id"], file.content)
    doc["attachment"] = name
