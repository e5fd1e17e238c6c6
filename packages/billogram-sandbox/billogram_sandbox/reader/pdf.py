"""A letter as a PDF: heading, recipient in the window of its envelope, rows, and sums. Its foot lives in slip."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from billogram_sandbox.account.creditor import Creditor
from billogram_sandbox.core.clock import civil_day
from billogram_sandbox.core.documents import Json
from billogram_sandbox.reader import slip, writing
from billogram_sandbox.reader.letters import CREDIT_INVOICE, REMINDER, Letter
from billogram_sandbox.reader.paper import MARGIN, RIGHT, Paper, wrapped
from billogram_sandbox.reader.sheet import Line
from billogram_sandbox.reader.slip import Leaf
from billogram_sandbox.reader.texts import Texts

WINDOW_X, WINDOW_Y = 112.0, 50.0
COUNT_X, PRICE_X, VAT_X = 126.0, 150.0, 166.0
SUM_X = 118.0
TITLE_WIDTH, NOTE_WIDTH = 88.0, 84.0
TABLE_Y, NEXT_TABLE_Y = 100.0, 40.0
PAGE_END = 280.0
ROW, SMALL, PAIR = 6.5, 4.2, 5.2


def made(doc: Json, texts: Texts, creditor: Creditor, letter: Letter, url: str) -> bytes:
    """The same bytes whenever it is asked for: all that it says follows from the letter."""
    at = datetime.fromisoformat(letter.at).replace(tzinfo=UTC)
    title = f"{texts.words[letter.kind]} {letter.invoice_no}"
    leaf = Leaf(Paper(f"{title}, {creditor.name}", creditor.name, texts.language), texts, creditor, doc, letter, url)
    _heading(leaf, title)
    _window(leaf)
    _particulars(leaf, writing.plain_day(texts, civil_day(at)))
    y = _rows(leaf, title)
    _sums(leaf, y, title)
    slip.foot(leaf)
    return leaf.paper.bytes()


def _heading(leaf: Leaf, title: str) -> None:
    leaf.paper.text(MARGIN, 26, leaf.creditor.name, 15, bold=True)
    leaf.paper.text(RIGHT, 26, title, 15, bold=True, align="R")
    leaf.paper.line(MARGIN, 31, RIGHT)


def _window(leaf: Leaf) -> None:
    lines = [part for line in _recipient(leaf.doc["customer"]) for part in wrapped(line, RIGHT - WINDOW_X, 10.5)]
    for number, line in enumerate(lines):
        leaf.paper.text(WINDOW_X, WINDOW_Y + number * 5, line, 10.5)


def _recipient(customer: Json) -> list[str]:
    address = customer["address"]
    lines = [customer["name"], address["attention"], address["careof"] and f"c/o {address['careof']}"]
    own = [address["address_line_1"], address["address_line_2"], address["address_line_3"]]
    lines += [address["street_address"]] if address["street_address"] else own
    lines.append(f"{writing.zipcode(address['zipcode'] or '')} {address['city'] or ''}".strip())
    country = address["country"] or "SE"
    return [line for line in (*lines, country if country != "SE" else "") if line]


def _particulars(leaf: Leaf, made_on: str) -> None:
    words, doc, info = leaf.texts.words, leaf.doc, leaf.doc["info"]
    is_credit = leaf.letter.kind == CREDIT_INVOICE
    pairs = [
        (words["reminder_date" if leaf.letter.kind == REMINDER else "invoice_date"], made_on),
        (words["invoice_no"], str(leaf.letter.invoice_no)),
        (words["due"], "" if is_credit else writing.plain_day(leaf.texts, leaf.letter.due)),
        (words["credit_of"], str(doc["invoice_no"]) if is_credit else ""),
        (words["ocr"], doc["ocr_number"]),
        (words["customer_no"], str(doc["customer"]["customer_no"])),
        (words["your_reference"], info["your_reference"]),
        (words["our_reference"], info["our_reference"]),
        (words["order_no"], info["order_no"]),
    ]
    for number, (name, value) in enumerate(pair for pair in pairs if pair[1]):
        leaf.paper.text(MARGIN, WINDOW_Y - 8 + number * PAIR, name, grey=True)
        leaf.paper.text(MARGIN + 34, WINDOW_Y - 8 + number * PAIR, str(value))


def _rows(leaf: Leaf, title: str) -> float:
    y = _table_head(leaf, TABLE_Y)
    for line in leaf.letter.sheet.lines:
        if y + ROW + 3 * SMALL > PAGE_END:
            y = _next_page(leaf, title)
        y = _row(leaf, y, line)
    if leaf.letter.sheet.fee:
        fee = leaf.letter.sheet.fee
        _figures(leaf, y, leaf.texts.words["invoice_fee"], Decimal(leaf.doc["invoice_fee_vat"]), fee)
        y += ROW
    return y


def _next_page(leaf: Leaf, title: str) -> float:
    _turn(leaf, title)
    return _table_head(leaf, NEXT_TABLE_Y)


def _turn(leaf: Leaf, title: str) -> None:
    leaf.paper.next_page()
    _heading(leaf, f"{title}, {leaf.texts.words['page'].lower()} {leaf.paper.page}")


def _table_head(leaf: Leaf, y: float) -> float:
    words = leaf.texts.words
    leaf.paper.text(MARGIN, y, words["what"], 8.5, grey=True)
    for x, name in ((COUNT_X, "quantity"), (PRICE_X, "unit_price"), (VAT_X, "rate"), (RIGHT, "table_amount")):
        leaf.paper.text(x, y, words[name], 8.5, align="R", grey=True)
    leaf.paper.line(MARGIN, y + 2, RIGHT)
    return y + 2 + ROW - 1


def _row(leaf: Leaf, y: float, line: Line) -> float:
    texts, words = leaf.texts, leaf.texts.words
    title, *more = wrapped(line.title or f"{words['credit_of']} {leaf.doc['invoice_no']}", TITLE_WIDTH)
    below = more + (wrapped(line.description, TITLE_WIDTH, 8.5) if line.description else [])
    if line.discount:
        below.append(f"{words['discount']} {writing.figure(texts, line.discount)}")
    count = f"{writing.number(texts, line.count)} {texts.units.get(line.unit, line.unit)}".strip()
    leaf.paper.text(COUNT_X, y, count, align="R")
    leaf.paper.text(PRICE_X, y, writing.figure(texts, line.price), align="R")
    _figures(leaf, y, title, line.vat, line.amount)
    for text in below:
        y += SMALL
        leaf.paper.text(MARGIN, y, text, 8.5, grey=True)
    return y + ROW


def _figures(leaf: Leaf, y: float, title: str, rate: Decimal, amount: Decimal) -> None:
    leaf.paper.text(MARGIN, y, title)
    leaf.paper.text(VAT_X, y, f"{writing.number(leaf.texts, rate)} %", align="R")
    leaf.paper.text(RIGHT, y, writing.figure(leaf.texts, amount), align="R")


def _sums(leaf: Leaf, y: float, title: str) -> None:
    """On the right what it comes to, on the left what the sender has to say."""
    leaf.paper.line(MARGIN, y - 3.5, RIGHT)
    y, pairs, note = y + 3, [*_sum_pairs(leaf)], _note(leaf)
    if y + PAIR * max(len(pairs), len(note)) > slip.FOOT_Y:
        _turn(leaf, title)
        y = NEXT_TABLE_Y
    for number, text in enumerate(note):
        leaf.paper.text(MARGIN, y + number * SMALL, text, 9, grey=True)
    *parts, last = pairs
    for number, part in enumerate(parts):
        _sum(leaf, y + number * PAIR, *part)
    _sum(leaf, y + len(parts) * PAIR + 2.5, *last, is_total=True)


def _sum(leaf: Leaf, y: float, name: str, value: str, is_total: bool = False) -> None:
    size = 12 if is_total else 9.5
    leaf.paper.text(SUM_X, y, name, size, bold=is_total)
    leaf.paper.text(RIGHT, y, value, size, bold=is_total, align="R")


def _sum_pairs(leaf: Leaf) -> Iterator[tuple[str, str]]:
    texts, words, shown, letter = leaf.texts, leaf.texts.words, leaf.letter.sheet, leaf.letter
    yield words["net"], writing.figure(texts, shown.net)
    for vat in shown.vats:
        name = f"{words['vat']} {writing.number(texts, vat.rate)} % ({writing.figure(texts, vat.net)})"
        yield name, writing.figure(texts, vat.vat)
    if shown.rounding:
        yield words["rounding"], writing.figure(texts, shown.rounding)
    changed = letter.to_pay - shown.total - letter.fees
    if letter.fees or changed:
        yield words["total"], leaf.money(shown.total)
    if letter.fees:
        yield words["reminder_fees"], writing.figure(texts, letter.fees)
    if changed:
        yield words["settled_or_added"], writing.figure(texts, changed)
    yield words["credited" if letter.kind == CREDIT_INVOICE else "to_pay"], leaf.money(abs(letter.to_pay))


def _note(leaf: Leaf) -> list[str]:
    """What the sender writes; how prices are meant; what being late costs."""
    words, doc = leaf.texts.words, leaf.doc
    parts = [leaf.letter.message, words["incl_vat" if leaf.letter.sheet.with_vat else "excl_vat"]]
    if leaf.letter.kind != CREDIT_INVOICE and doc["interest_rate"]:
        parts.append(words["late_terms"].format(rate=writing.number(leaf.texts, doc["interest_rate"])))
    return [line for part in parts if part for line in wrapped(part, NOTE_WIDTH, 9)]
