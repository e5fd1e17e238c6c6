"""OCR numbers by Bankgirot's definition: body, length digit, check digit (Luhn)."""

import re

SHAPE = re.compile(r"[0-9]{2,25}")


def ocr_number(body: str) -> str:
    digits = body + str((len(body) + 2) % 10)
    return digits + check_digit(digits)


def reference_error(reference: str) -> str | None:
    """Why a bank that checks both digits rejects it."""
    if not SHAPE.fullmatch(reference):
        return "malformed"
    if reference[-1] != check_digit(reference[:-1]):
        return "check_digit"
    return None if reference[-2] == str(len(reference) % 10) else "length_digit"


def check_digit(digits: str) -> str:
    """From the right every second digit counts double, starting with the last; 10 to 18 count as their digit sum."""
    duplicated = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits)))
    return str(-sum(value - 9 if value > 9 else value for value in duplicated) % 10)
