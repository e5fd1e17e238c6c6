"""A sheet of A4 to write on: text at a place in millimetres, lines, and the QR code. What stands where lives in pdf."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Literal

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

Align = Literal["L", "R"]
WIDTH, HEIGHT, MARGIN = 210.0, 297.0, 18.0
RIGHT = WIDTH - MARGIN
FONT, BOLD, MACHINE = "Helvetica", "Helvetica-Bold", "Courier-Bold"
ENCODING = "windows-1252"
GREY, BLACK, LINE = 0.38, 0.08, 0.78
PLAIN = str.maketrans({"Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "ı": "i", "Ħ": "H", "ħ": "h", "\N{MINUS SIGN}": "-"})


class Paper:
    """Every reader of PDFs has these fonts, so none is carried along; they hold the letters of western Europe."""

    def __init__(self, title: str, author: str, language: str) -> None:
        self._out = BytesIO()
        # Invariant: no time of making, and an id of the contents, so the same letter is the same bytes.
        self._canvas = Canvas(self._out, pagesize=A4, invariant=1, lang=language)
        self._canvas.setTitle(folded(title))
        self._canvas.setAuthor(folded(author))
        self._canvas.setCreator("billogram_sandbox")

    @property
    def page(self) -> int:
        return self._canvas.getPageNumber()

    def next_page(self) -> None:
        self._canvas.showPage()

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 9.5,
        bold: bool = False,
        align: Align = "L",
        grey: bool = False,
    ) -> None:
        """On the line at y, counted from above; x is where it begins, or where it ends."""
        self._canvas.setFont(BOLD if bold else FONT, size)
        self._canvas.setFillGray(GREY if grey else BLACK)
        write = self._canvas.drawString if align == "L" else self._canvas.drawRightString
        write(x * mm, _up(y), folded(text))

    def machine_text(self, x: float, y: float, text: str, size: float) -> None:
        """Every letter as wide as another."""
        self._canvas.setFont(MACHINE, size)
        self._canvas.setFillGray(0)
        self._canvas.drawString(x * mm, _up(y), folded(text))

    def line(self, x1: float, y: float, x2: float, dashed: bool = False) -> None:
        self._canvas.setStrokeGray(GREY if dashed else LINE)
        self._canvas.setLineWidth(0.6)
        self._canvas.setDash([3, 3] if dashed else [])
        self._canvas.line(x1 * mm, _up(y), x2 * mm, _up(y))

    def qr(self, x: float, y: float, side: float, rows: Sequence[Sequence[int]]) -> None:
        """Each run of dark modules of a row is one box, a little higher than the row, so that no seam shows."""
        module = side / len(rows)
        self._canvas.setFillGray(0)
        for number, row in enumerate(rows):
            bottom = _up(y + (number + 1) * module)
            for start, length in _runs(row):
                left, width, height = x + start * module, length * module, module * 1.02
                self._canvas.rect(left * mm, bottom, width * mm, height * mm, stroke=0, fill=1)

    def link(self, x: float, y: float, text: str, size: float, address: str) -> None:
        self.text(x, y, text, size)
        left, right = x * mm, x * mm + stringWidth(folded(text), FONT, size)
        self._canvas.linkURL(address, (left, _up(y) - 2, right, _up(y) + size))

    def bytes(self) -> bytes:
        self._canvas.save()
        return self._out.getvalue()


def wrapped(text: str, width: float, size: float = 9.5) -> list[str]:
    """A word that is too long for a line goes on in the next."""
    lines = [str(line) for line in simpleSplit(folded(text), FONT, size, width * mm)]
    return [part for line in lines for part in _broken(line, width * mm, size)]


def _broken(line: str, width: float, size: float) -> Iterator[str]:
    part = ""
    for letter in line:
        if part and stringWidth(part + letter, FONT, size) > width:
            yield part
            part = ""
        part += letter
    yield part


def folded(text: str) -> str:
    """What the fonts can't write becomes what comes closest: a letter without its mark, else a question mark."""
    return "".join(each if _is_written(each) else _closest(each) for each in text.translate(PLAIN))


def _closest(letter: str) -> str:
    bare = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return bare if bare and all(map(_is_written, bare)) else "?"


def _is_written(letter: str) -> bool:
    try:
        letter.encode(ENCODING)
    except UnicodeEncodeError:
        return False
    return True


def _runs(row: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Where each begins, and how long it is."""
    start = None
    for place, dark in enumerate([*row, 0]):
        if dark and start is None:
            start = place
        elif not dark and start is not None:
            yield start, place - start
            start = None


def _up(y: float) -> float:
    """PDF counts from below."""
    return (HEIGHT - y) * mm
