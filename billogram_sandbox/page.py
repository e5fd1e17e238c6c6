"""The invoice as its recipient sees it in a browser: a plain page behind an address only they know."""

from html import escape

from starlette.requests import Request
from starlette.responses import Response

from billogram_sandbox.call import Endpoint
from billogram_sandbox.documents import Json, load
from billogram_sandbox.envelope import html
from billogram_sandbox.lists import column
from billogram_sandbox.sandbox import Sandbox


def invoice_page(sandbox: Sandbox) -> Endpoint:
    async def page(request: Request) -> Response:
        sql = f"SELECT doc FROM billograms WHERE {column('ocr_number')} = ?"
        text = sandbox.database.scalar(sql, request.path_params["ocr"])
        doc: Json | None = text and load(text)
        if doc is None or doc["url"] != request.url.path:
            return html("No such invoice.", 404)
        return html(_table(doc))

    return page


def _table(doc: Json) -> str:
    rows = {
        "Invoice": doc["invoice_no"],
        "Recipient": doc["customer"]["name"],
        "To pay": f"{doc['remaining_sum']} {doc['currency']}",
        "Due date": doc["due_date"],
        "OCR": doc["ocr_number"],
        "State": doc["state"],
    }
    cells = "".join(f"<tr><th>{name}</th><td>{escape(str(value))}</td></tr>" for name, value in rows.items())
    return f"<table>{cells}</table>"
