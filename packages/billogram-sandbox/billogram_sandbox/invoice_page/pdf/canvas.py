"""An A4 canvas in millimetres from the top left: text, lines, QR codes."""

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
FONT, BOLD, MONOSPACE = "Helvetica", "Helvetica-Bold", "Courier-Bold"
ENCODING = "windows-1252"
GREY, BLACK, LINE = 0.38, 0.08, 0.78
SUBSTITUTES = str.maketrans(
    {"Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "ı": "i", "Ħ": "H", "ħ": "h", "\N{MINUS SIGN}": "-"}
)


class PdfCanvas:
    """Uses the standard PDF fonts, which every viewer has. They cover the letters of western Europe."""

    def __init__(self, title: str, author: str, language: str) -> None:
        self._out = BytesIO()
        # Invariant: no timestamp and an id by content, so the same letter has the same bytes.
        self._canvas = Canvas(self._out, pagesize=A4, invariant=1, lang=language)
        self._canvas.setTitle(printable(title))
        self._canvas.setAuthor(printable(author))
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
        """y is the baseline; x the start of the text, or its end if aligned right."""
        self._canvas.setFont(BOLD if bold else FONT, size)
        self._canvas.setFillGray(GREY if grey else BLACK)
        write = self._canvas.drawString if align == "L" else self._canvas.drawRightString
        write(x * mm, _from_bottom(y), printable(text))

    def machine_text(self, x: float, y: float, text: str, size: float) -> None:
        """In the font of the line that machines read."""
        self._canvas.setFont(MONOSPACE, size)
        self._canvas.setFillGray(0)
        self._canvas.drawString(x * mm, _from_bottom(y), printable(text))

    def line(self, x1: float, y: float, x2: float, dashed: bool = False) -> None:
        self._canvas.setStrokeGray(GREY if dashed else LINE)
        self._canvas.setLineWidth(0.6)
        self._canvas.setDash([3, 3] if dashed else [])
        self._canvas.line(x1 * mm, _from_bottom(y), x2 * mm, _from_bottom(y))

    def qr(self, x: float, y: float, side: float, rows: Sequence[Sequence[int]]) -> None:
        """One rectangle per run of dark modules, slightly higher than the row to hide seams."""
        module = side / len(rows)
        self._canvas.setFillGray(0)
        for number, row in enumerate(rows):
            bottom = _from_bottom(y + (number + 1) * module)
            for start, length in _runs(row):
                left, width, height = x + start * module, length * module, module * 1.02
                self._canvas.rect(left * mm, bottom, width * mm, height * mm, stroke=0, fill=1)

    def link(self, x: float, y: float, text: str, size: float, address: str) -> None:
        self.text(x, y, text, size)
        left, right = x * mm, x * mm + stringWidth(printable(text), FONT, size)
        self._canvas.linkURL(address, (left, _from_bottom(y) - 2, right, _from_bottom(y) + size))

    def bytes(self) -> bytes:
        self._canvas.save()
        return self._out.getvalue()


def wrap(text: str, width: float, size: float = 9.5) -> list[str]:
    """Splits words that are too long for a line."""
    lines = [str(line) for line in simpleSplit(printable(text), FONT, size, width * mm)]
    return [part for line in lines for part in _split(line, width * mm, size)]


def _split(line: str, width: float, size: float) -> Iterator[str]:
    part = ""
    for letter in line:
        if part and stringWidth(part + letter, FONT, size) > width:
            yield part
            part = ""
        part += letter
    yield part


def printable(text: str) -> str:
    """Replaces letters that the fonts lack: without its mark if that helps, else by a question mark."""
    return "".join(each if _is_printable(each) else _closest_printable(each) for each in text.translate(SUBSTITUTES))


def _closest_printable(letter: str) -> str:
    bare = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return bare if bare and all(map(_is_printable, bare)) else "?"


def _is_printable(letter: str) -> bool:
    try:
        letter.encode(ENCODING)
    except UnicodeEncodeError:
        return False
    return True


def _runs(row: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Start and length of each run."""
    start = None
    for place, dark in enumerate([*row, 0]):
        if dark and start is None:
            start = place
        elif not dark and start is not None:
            yield start, place - start
            start = None


def _from_bottom(y: float) -> float:
    """PDF coordinates start at the bottom."""
    return (HEIGHT - y) * mm
