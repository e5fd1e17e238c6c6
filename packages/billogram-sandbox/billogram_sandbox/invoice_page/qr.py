"""The QR code of an invoice for Swedish bank apps: UsingQR, a JSON object with short names."""

from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from billogram_sandbox.account.creditor import Creditor
from billogram_sandbox.core.documents import Json, dump
from billogram_sandbox.rules.money import hundredths

if TYPE_CHECKING:
    import segno

INVOICE_TYPE, CREDIT_TYPE = 1, 2
CACHE_SIZE = 256
BORDER = 4  # the quiet zone that the standard requires


def invoice_data(doc: Json, creditor: Creditor, due: Decimal, due_day: str, kind: int = INVOICE_TYPE) -> Json:
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


def qr_code(data: Json) -> "segno.QRCode":
    return _code(dump(data))


def qr_svg(data: Json, title: str) -> str:
    """Black on white in every colour scheme: scanners need the contrast."""
    return _svg(dump(data), title)


@lru_cache(CACHE_SIZE)
def _code(text: str) -> "segno.QRCode":
    """Cached: it takes longer than the rest of a page."""
    import segno  # noqa: PLC0415 - not needed to start

    return segno.make_qr(text, error="m")


@lru_cache(CACHE_SIZE)
def _svg(text: str, title: str) -> str:
    return str(_code(text).svg_inline(border=BORDER, omitsize=True, light="#fff", svgclass="qr", title=title))
