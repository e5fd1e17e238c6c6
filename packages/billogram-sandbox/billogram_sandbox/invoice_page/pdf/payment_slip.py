"""The foot of a letter: creditor, QR code, and the giro slip with its machine-readable line."""

from dataclasses import dataclass
from decimal import Decimal

from billogram_sandbox.account.creditor import Creditor
from billogram_sandbox.core.documents import Json
from billogram_sandbox.invoice_page import qr
from billogram_sandbox.invoice_page.language import formatting
from billogram_sandbox.invoice_page.language.texts import Texts
from billogram_sandbox.invoice_page.pdf.canvas import MARGIN, RIGHT, WIDTH, PdfCanvas, wrap
from billogram_sandbox.invoice_page.pdf.letters import CREDIT_INVOICE, Letter
from billogram_sandbox.rules.money import hundredths
from billogram_sandbox.rules.ocr import check_digit

FOOT_Y = 205.0  # rows and sums stay above it
SENDER_Y, SLIP_Y, DATA_Y = 208.0, 221.0, 288.0
QR_SIDE, LABEL = 34.0, 7.5
OCR_SLIP = "41"
AMOUNT_X, QR_X = 100.0, RIGHT - QR_SIDE


@dataclass(frozen=True)
class LetterContext:
    """What every part of a letter needs."""

    canvas: PdfCanvas
    texts: Texts
    creditor: Creditor
    doc: Json
    letter: Letter
    url: str

    def money(self, value: Decimal) -> str:
        return formatting.money(self.texts, value, self.doc["currency"])


def draw_foot(letter_page: LetterContext) -> None:
    """On the last page."""
    _draw_sender(letter_page)
    if letter_page.letter.kind != CREDIT_INVOICE and letter_page.letter.to_pay > 0:
        _draw_slip(letter_page)


def _draw_sender(letter_page: LetterContext) -> None:
    words, sender = letter_page.texts.words, letter_page.creditor
    letter_page.canvas.line(MARGIN, SENDER_Y - 4, RIGHT)
    numbers = f"{words['org_no']} {sender.org_no}   {words['vat_no']} {sender.vat_no}   {words['f_tax']}"
    address = f"{sender.name}, {sender.street_address}, {formatting.zipcode(sender.zipcode)} {sender.city}"
    letter_page.canvas.text(MARGIN, SENDER_Y, f"{address}   {sender.email}   {sender.phone}", 8, grey=True)
    letter_page.canvas.text(MARGIN, SENDER_Y + 4, numbers, 8, grey=True)


def _draw_slip(letter_page: LetterContext) -> None:
    letter_page.canvas.line(0, SLIP_Y - 5, WIDTH, dashed=True)
    words, doc, letter = letter_page.texts.words, letter_page.doc, letter_page.letter
    _draw_field(letter_page, MARGIN, SLIP_Y + 3, words["payee"], _first_line(letter_page.creditor.name))
    _draw_field(letter_page, MARGIN, SLIP_Y + 15, words["payer"], _first_line(doc["customer"]["name"]))
    _draw_field(letter_page, MARGIN, SLIP_Y + 27, words["ocr"], doc["ocr_number"], bold=True)
    _draw_field(letter_page, AMOUNT_X, SLIP_Y + 3, words["bankgiro"], letter_page.creditor.bankgiro, bold=True)
    _draw_field(letter_page, AMOUNT_X, SLIP_Y + 15, words["due"], formatting.plain_day(letter_page.texts, letter.due))
    _draw_field(letter_page, AMOUNT_X, SLIP_Y + 27, words["to_pay"], letter_page.money(letter.to_pay), bold=True)
    _draw_link(letter_page, SLIP_Y + 42)
    code = qr.qr_code(qr.invoice_data(doc, letter_page.creditor, letter.to_pay, letter.due))
    letter_page.canvas.qr(QR_X, SLIP_Y, QR_SIDE, code.matrix)
    line = giro_line(doc["ocr_number"], letter.to_pay, letter_page.creditor.bankgiro)
    letter_page.canvas.line(MARGIN, DATA_Y - 8, RIGHT)
    letter_page.canvas.machine_text(MARGIN, DATA_Y, line, 10)


def _draw_link(letter_page: LetterContext, y: float) -> None:
    """The link to the page, where nothing has to be typed."""
    letter_page.canvas.text(MARGIN, y, letter_page.texts.words["web"], LABEL, grey=True)
    letter_page.canvas.link(MARGIN, y + 5, letter_page.url, 8.5, letter_page.url)


def _first_line(name: str) -> str:
    """The part that fits into its field."""
    return wrap(name, AMOUNT_X - MARGIN - 5)[0]


def _draw_field(letter_page: LetterContext, x: float, y: float, name: str, value: str, bold: bool = False) -> None:
    letter_page.canvas.text(x, y, name, LABEL, grey=True)
    letter_page.canvas.text(x, y + 5, value, 11 if bold else 9.5, bold=bold)


def giro_line(ocr: str, amount: Decimal, bankgiro: str) -> str:
    """The machine-readable line: reference, amount with a check digit over kronor and öre, bankgiro."""
    kronor, ore = f"{hundredths(amount):.2f}".split(".")
    digit = check_digit(kronor + ore)
    return f"#{ocr:>26} #{kronor:>8} {ore}   {digit} >{bankgiro.replace('-', ''):>22}#{OCR_SLIP}#"
