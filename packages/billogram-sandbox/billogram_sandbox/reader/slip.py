"""The foot of a letter: the QR code, the giro slip with the line that machines read, and who the sender is."""

from dataclasses import dataclass
from decimal import Decimal

from billogram_sandbox.account.creditor import Creditor
from billogram_sandbox.core.documents import Json
from billogram_sandbox.reader import giro, qr, writing
from billogram_sandbox.reader.letters import CREDIT_INVOICE, Letter
from billogram_sandbox.reader.paper import MARGIN, RIGHT, WIDTH, Paper, wrapped
from billogram_sandbox.reader.texts import Texts

FOOT_Y = 205.0  # above it is room for rows
SENDER_Y, SLIP_Y, DATA_Y = 208.0, 221.0, 288.0
QR_SIDE, LABEL = 34.0, 7.5
AMOUNT_X, QR_X = 100.0, RIGHT - QR_SIDE


@dataclass(frozen=True)
class Leaf:
    """What every part of one PDF needs to know."""

    paper: Paper
    texts: Texts
    creditor: Creditor
    doc: Json
    letter: Letter
    url: str

    def money(self, value: Decimal) -> str:
        return writing.money(self.texts, value, self.doc["currency"])


def foot(leaf: Leaf) -> None:
    """At the foot of the last page."""
    _sender(leaf)
    if leaf.letter.kind != CREDIT_INVOICE and leaf.letter.to_pay > 0:
        _slip(leaf)


def _sender(leaf: Leaf) -> None:
    words, sender = leaf.texts.words, leaf.creditor
    leaf.paper.line(MARGIN, SENDER_Y - 4, RIGHT)
    numbers = f"{words['org_no']} {sender.org_no}   {words['vat_no']} {sender.vat_no}   {words['f_tax']}"
    address = f"{sender.name}, {sender.street_address}, {writing.zipcode(sender.zipcode)} {sender.city}"
    leaf.paper.text(MARGIN, SENDER_Y, f"{address}   {sender.email}   {sender.phone}", 8, grey=True)
    leaf.paper.text(MARGIN, SENDER_Y + 4, numbers, 8, grey=True)


def _slip(leaf: Leaf) -> None:
    leaf.paper.line(0, SLIP_Y - 5, WIDTH, dashed=True)
    words, doc, letter = leaf.texts.words, leaf.doc, leaf.letter
    _named(leaf, MARGIN, SLIP_Y + 3, words["payee"], _in_short(leaf.creditor.name))
    _named(leaf, MARGIN, SLIP_Y + 15, words["payer"], _in_short(doc["customer"]["name"]))
    _named(leaf, MARGIN, SLIP_Y + 27, words["ocr"], doc["ocr_number"], bold=True)
    _named(leaf, AMOUNT_X, SLIP_Y + 3, words["bankgiro"], leaf.creditor.bankgiro, bold=True)
    _named(leaf, AMOUNT_X, SLIP_Y + 15, words["due"], writing.plain_day(leaf.texts, letter.due))
    _named(leaf, AMOUNT_X, SLIP_Y + 27, words["to_pay"], leaf.money(letter.to_pay), bold=True)
    _web(leaf, SLIP_Y + 42)
    code = qr.code(qr.invoice_data(doc, leaf.creditor, letter.to_pay, letter.due))
    leaf.paper.qr(QR_X, SLIP_Y, QR_SIDE, code.matrix)
    line = giro.data_line(doc["ocr_number"], letter.to_pay, leaf.creditor.bankgiro)
    leaf.paper.line(MARGIN, DATA_Y - 8, RIGHT)
    leaf.paper.machine_text(MARGIN, DATA_Y, line, 10)


def _web(leaf: Leaf, y: float) -> None:
    """Where one pays without typing any of it."""
    leaf.paper.text(MARGIN, y, leaf.texts.words["web"], LABEL, grey=True)
    leaf.paper.link(MARGIN, y + 5, leaf.url, 8.5, leaf.url)


def _in_short(name: str) -> str:
    """What of it fits in its field."""
    return wrapped(name, AMOUNT_X - MARGIN - 5)[0]


def _named(leaf: Leaf, x: float, y: float, name: str, value: str, bold: bool = False) -> None:
    leaf.paper.text(x, y, name, LABEL, grey=True)
    leaf.paper.text(x, y + 5, value, 11 if bold else 9.5, bold=bold)
