"""The QR code of an invoice, as Swedish bank apps read it: UsingQR, a small JSON with short names."""

from decimal import Decimal
from functools import lru_cache

import segno

from billogram_sandbox.account.creditor import Creditor
from billogram_sandbox.core.documents import Json, dump
from billogram_sandbox.rules.money import hundredths

INVOICE, CREDIT = 1, 2
KEPT = 256
BORDER = 4  # the quiet zone that readers ask for


def invoice_data(doc: Json, creditor: Creditor, due: Decimal, due_day: str, kind: int = INVOICE) -> Json:
    return {
        "uqr": 1,
        "tp": kind,
        "nme": creditor.name,
        "cc": "SE",
        "cid": creditor.org_no,
        "iref": doc["ocr_number"],
        "idt": doc["invoice_date"].replace("-", ""),
        "ddt": due_day.replace("-", ""),
        "due": hundredths(due),
        "cur": doc["currency"],
        "pt": "BG",
        "acc": creditor.bankgiro,
    }


def code(data: Json) -> segno.QRCode:
    return _code(dump(data))


def svg(data: Json, title: str) -> str:
    """Black on white whatever the page's colours: readers need the contrast."""
    return _svg(dump(data), title)


@lru_cache(KEPT)
def _code(text: str) -> segno.QRCode:
    """Made once: it takes longer than all the rest of a page."""
    return segno.make_qr(text, error="m")


@lru_cache(KEPT)
def _svg(text: str, title: str) -> str:
    return str(_code(text).svg_inline(border=BORDER, omitsize=True, light="#fff", svgclass="qr", title=title))
