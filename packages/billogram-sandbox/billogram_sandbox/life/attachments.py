"""The one PDF that may be attached to a billogram: stored beside it, shown in the envelope, removed with it."""

from collections.abc import Collection

from billogram_sandbox.call import Call
from billogram_sandbox.core.content import decoded, encoded
from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import Problem, not_found
from billogram_sandbox.life import billograms
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.command import Attach
from billogram_sandbox.shapes.values import read

PDF = {b"%PDF-": "application/pdf"}
TABLE = "attachments"


def get(call: Call) -> Json:
    doc = billograms.load_one(call.sandbox, call.path["id"])
    content = call.sandbox.database.scalar(f"SELECT content FROM {TABLE} WHERE billogram_id = ?", doc["id"])
    if content is None:
        raise not_found(f"{doc['id']}/attachment.pdf")
    shown = {"filename": doc["attachment"], "file_type": PDF[b"%PDF-"], "content": encoded(content)}
    return {"status": "OK", "data": shown}


def attach(call: Call, doc: Json, body: Json) -> None:
    wanted = read(Attach, body)
    _store(call.sandbox, doc, wanted.filename, wanted.content)
    billograms.save(call.sandbox, doc, call.sandbox.clock.now())


def settle(sandbox: Sandbox, doc: Json, given: Collection[str], name: str | None, content: str | None) -> None:
    """By the keys of a billogram: name and content come together, a name alone renames, and null removes."""
    if content is not None:
        if not (name or doc["attachment"]):
            raise Problem(400, "INVALID_PARAMETER_COMBINATION", "attachment_content needs attachment", "attachment")
        _store(sandbox, doc, name or doc["attachment"], content)
    elif "attachment" in given and name is None:
        remove(sandbox, doc["id"])
        doc["attachment"] = None
    elif name is not None and name != doc["attachment"]:
        if doc["attachment"] is None:
            text = "attachment needs attachment_content"
            raise Problem(400, "INVALID_PARAMETER_COMBINATION", text, "attachment_content")
        doc["attachment"] = name


def remove(sandbox: Sandbox, billogram_id: str) -> None:
    sandbox.database.run(f"DELETE FROM {TABLE} WHERE billogram_id = ?", billogram_id)


def _store(sandbox: Sandbox, doc: Json, name: str, text: str) -> None:
    file = decoded(text, PDF)
    sandbox.database.run(f"INSERT OR REPLACE INTO {TABLE} VALUES (?, ?)", doc["id"], file.content)
    doc["attachment"] = name
