"""Renders a letter as PDF: heading, recipient in the envelope window, rows, sums. The foot: `payment_slip.py`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from billogram_sandbox.account.creditor import Creditor
from billogram_sandbox.core.clock import civil_day
from billogram_sandbox.core.documents import Json
from billogram_sandbox.invoice_page.figures import Line
from billogram_sandbox.invoice_page.language import formatting
from billogram_sandbox.invoice_page.language.texts import Texts
from billogram_sandbox.invoice_page.pdf import payment_slip
from billogram_sandbox.invoice_page.pdf.canvas import MARGIN, RIGHT, PdfCanvas, wrap
from billogram_sandbox.invoice_page.pdf.letters import CREDIT_INVOICE, REMINDER, Letter
from billogram_sandbox.invoice_page.pdf.payment_slip import LetterContext

WINDOW_X, WINDOW_Y = 112.0, 50.0
COUNT_X, PRICE_X, VAT_X = 126.0, 150.0, 166.0
SUM_X = 118.0
TITLE_WIDTH, NOTE_WIDTH = 88.0, 84.0
TABLE_Y, NEXT_TABLE_Y = 100.0, 40.0
PAGE_END = 280.0
ROW, SMALL, PAIR = 6.5, 4.2, 5.2


def render_letter(doc: Json, texts: Texts, creditor: Creditor, letter: Letter, url: str) -> bytes:
    """Depends on the letter alone, so a letter always has the same bytes."""
    at = datetime.fromisoformat(letter.at).replace(tzinfo=UTC)
    title = f"{texts.words[letter.kind]} {letter.invoice_no}"
    letter_page = LetterContext(
        PdfCanvas(f"{title}, {creditor.name}", creditor.name, texts.language), texts, creditor, doc, letter, url
    )
    _draw_heading(letter_page, title)
    _draw_recipient(letter_page)
    _draw_particulars(letter_page, formatting.plain_day(texts, civil_day(at)))
    y = _draw_rows(letter_page, title)
    _draw_sums(letter_page, y, title)
    payment_slip.draw_foot(letter_page)
    return letter_page.canvas.bytes()


def _draw_heading(letter_page: LetterContext, title: str) -> None:
    letter_page.canvas.text(MARGIN, 26, letter_page.creditor.name, 15, bold=True)
    letter_page.canvas.text(RIGHT, 26, title, 15, bold=True, align="R")
    letter_page.canvas.line(MARGIN, 31, RIGHT)


def _draw_recipient(letter_page: LetterContext) -> None:
    lines = [part for line in _recipient(letter_page.doc["customer"]) for part in wrap(line, RIGHT - WINDOW_X, 10.5)]
    for number, line in enumerate(lines):
        letter_page.canvas.text(WINDOW_X, WINDOW_Y + number * 5, line, 10.5)


def _recipient(customer: Json) -> list[str]:
    address = customer["address"]
    lines = [customer["name"], address["attention"], address["careof"] and f"c/o {address['careof']}"]
    own = [address["address_line_1"], address["address_line_2"], address["address_line_3"]]
    lines += [address["street_address"]] if address["street_address"] else own
    lines.append(f"{formatting.zipcode(address['zipcode'] or '')} {address['city'] or ''}".strip())
    country = address["country"] or "SE"
    return [line for line in (*lines, country if country != "SE" else "") if line]


def _draw_particulars(letter_page: LetterContext, made_on: str) -> None:
    words, doc, info = letter_page.texts.words, letter_page.doc, letter_page.doc["info"]
    is_credit = letter_page.letter.kind == CREDIT_INVOICE
    pairs = [
        (words["reminder_date" if letter_page.letter.kind == REMINDER else "invoice_date"], made_on),
        (words["invoice_no"], str(letter_page.letter.invoice_no)),
        (words["due"], "" if is_credit else formatting.plain_day(letter_page.texts, letter_page.letter.due)),
        (words["credit_of"], str(doc["invoice_no"]) if is_credit else ""),
        (words["ocr"], doc["ocr_number"]),
        (words["customer_no"], str(doc["customer"]["customer_no"])),
        (words["your_reference"], info["your_reference"]),
        (words["our_reference"], info["our_reference"]),
        (words["order_no"], info["order_no"]),
    ]
    for number, (name, value) in enumerate(pair for pair in pairs if pair[1]):
        letter_page.canvas.text(MARGIN, WINDOW_Y - 8 + number * PAIR, name, grey=True)
        letter_page.canvas.text(MARGIN + 34, WINDOW_Y - 8 + number * PAIR, str(value))


def _draw_rows(letter_page: LetterContext, title: str) -> float:
    y = _draw_table_head(letter_page, TABLE_Y)
    for line in letter_page.letter.figures.lines:
        if y + ROW + 3 * SMALL > PAGE_END:
            y = _start_table_page(letter_page, title)
        y = _draw_row(letter_page, y, line)
    if letter_page.letter.figures.fee:
        fee = letter_page.letter.figures.fee
        _draw_figures(
            letter_page, y, letter_page.texts.words["invoice_fee"], Decimal(letter_page.doc["invoice_fee_vat"]), fee
        )
        y += ROW
    return y


def _start_table_page(letter_page: LetterContext, title: str) -> float:
    _start_page(letter_page, title)
    return _draw_table_head(letter_page, NEXT_TABLE_Y)


def _start_page(letter_page: LetterContext, title: str) -> None:
    letter_page.canvas.next_page()
    _draw_heading(letter_page, f"{title}, {letter_page.texts.words['page'].lower()} {letter_page.canvas.page}")


def _draw_table_head(letter_page: LetterContext, y: float) -> float:
    words = letter_page.texts.words
    letter_page.canvas.text(MARGIN, y, words["what"], 8.5, grey=True)
    for x, name in ((COUNT_X, "quantity"), (PRICE_X, "unit_price"), (VAT_X, "rate"), (RIGHT, "table_amount")):
        letter_page.canvas.text(x, y, words[name], 8.5, align="R", grey=True)
    letter_page.canvas.line(MARGIN, y + 2, RIGHT)
    return y + 2 + ROW - 1


def _draw_row(letter_page: LetterContext, y: float, line: Line) -> float:
    texts, words = letter_page.texts, letter_page.texts.words
    title, *more = wrap(line.title or f"{words['credit_of']} {letter_page.doc['invoice_no']}", TITLE_WIDTH)
    below = more + (wrap(line.description, TITLE_WIDTH, 8.5) if line.description else [])
    if line.discount:
        below.append(f"{words['discount']} {formatting.figure(texts, line.discount)}")
    count = f"{formatting.number(texts, line.count)} {texts.units.get(line.unit, line.unit)}".strip()
    letter_page.canvas.text(COUNT_X, y, count, align="R")
    letter_page.canvas.text(PRICE_X, y, formatting.figure(texts, line.price), align="R")
    _draw_figures(letter_page, y, title, line.vat, line.amount)
    for text in below:
        y += SMALL
        letter_page.canvas.text(MARGIN, y, text, 8.5, grey=True)
    return y + ROW


def _draw_figures(letter_page: LetterContext, y: float, title: str, rate: Decimal, amount: Decimal) -> None:
    letter_page.canvas.text(MARGIN, y, title)
    letter_page.canvas.text(VAT_X, y, f"{formatting.number(letter_page.texts, rate)} %", align="R")
    letter_page.canvas.text(RIGHT, y, formatting.figure(letter_page.texts, amount), align="R")


def _draw_sums(letter_page: LetterContext, y: float, title: str) -> None:
    """Sums on the right, the creditor's note on the left."""
    letter_page.canvas.line(MARGIN, y - 3.5, RIGHT)
    y, pairs, note = y + 3, [*_sum_pairs(letter_page)], _note(letter_page)
    if y + PAIR * max(len(pairs), len(note)) > payment_slip.FOOT_Y:
        _start_page(letter_page, title)
        y = NEXT_TABLE_Y
    for number, text in enumerate(note):
        letter_page.canvas.text(MARGIN, y + number * SMALL, text, 9, grey=True)
    *parts, last = pairs
    for number, part in enumerate(parts):
        _draw_sum(letter_page, y + number * PAIR, *part)
    _draw_sum(letter_page, y + len(parts) * PAIR + 2.5, *last, is_total=True)


def _draw_sum(letter_page: LetterContext, y: float, name: str, value: str, is_total: bool = False) -> None:
    size = 12 if is_total else 9.5
    letter_page.canvas.text(SUM_X, y, name, size, bold=is_total)
    letter_page.canvas.text(RIGHT, y, value, size, bold=is_total, align="R")


def _sum_pairs(letter_page: LetterContext) -> Iterator[tuple[str, str]]:
    texts, words, shown, letter = (
        letter_page.texts,
        letter_page.texts.words,
        letter_page.letter.figures,
        letter_page.letter,
    )
    yield words["net"], formatting.figure(texts, shown.net)
    for vat in shown.vats:
        name = f"{words['vat']} {formatting.number(texts, vat.rate)} % ({formatting.figure(texts, vat.net)})"
        yield name, formatting.figure(texts, vat.vat)
    if shown.rounding:
        yield words["rounding"], formatting.figure(texts, shown.rounding)
    changed = letter.to_pay - shown.total - letter.fees
    if letter.fees or changed:
        yield words["total"], letter_page.money(shown.total)
    if letter.fees:
        yield words["reminder_fees"], formatting.figure(texts, letter.fees)
    if changed:
        yield words["settled_or_added"], formatting.figure(texts, changed)
    yield words["credited" if letter.kind == CREDIT_INVOICE else "to_pay"], letter_page.money(abs(letter.to_pay))


def _note(letter_page: LetterContext) -> list[str]:
    """The creditor's message, whether prices include VAT, and late payment terms."""
    words, doc = letter_page.texts.words, letter_page.doc
    parts = [letter_page.letter.message, words["incl_vat" if letter_page.letter.figures.with_vat else "excl_vat"]]
    if letter_page.letter.kind != CREDIT_INVOICE and doc["interest_rate"]:
        parts.append(words["late_terms"].format(rate=formatting.number(letter_page.texts, doc["interest_rate"])))
    return [line for part in parts if part for line in wrap(part, NOTE_WIDTH, 9)]
