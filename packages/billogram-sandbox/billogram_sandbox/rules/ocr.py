"""OCR numbers as Bankgirot defines them: a body, a length digit, a check digit (Luhn)."""

import re

SHAPE = re.compile(r"[0-9]{2,25}")


def ocr_number(body: str) -> str:
    digits = body + str((len(body) + 2) % 10)
    return digits + check_digit(digits)


def complaint(reference: str) -> str | None:
    """Why a bank that checks both digits would not take it."""
    if not SHAPE.fullmatch(reference):
        return "malformed"
    if reference[-1] != check_digit(reference[:-1]):
        return "check_digit"
    return None if reference[-2] == str(len(reference) % 10) else "length_digit"


def check_digit(digits: str) -> str:
    """From the right every second digit counts double, beginning with the last; 10 to 18 give their digit sum."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits)))
    return str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)
