"""The line at the foot of a Swedish giro slip that a machine reads: reference, amount with check digit, account."""

from decimal import Decimal

from billogram_sandbox.rules.money import hundredths
from billogram_sandbox.rules.ocr import check_digit

OCR_SLIP = "41"


def data_line(ocr: str, amount: Decimal, bankgiro: str) -> str:
    """Kronor and öre stand apart, and their check digit covers both."""
    kronor, ore = f"{hundredths(amount):.2f}".split(".")
    digit = check_digit(kronor + ore)
    return f"#{ocr:>26} #{kronor:>8} {ore}   {digit} >{bankgiro.replace('-', ''):>22}#{OCR_SLIP}#"
