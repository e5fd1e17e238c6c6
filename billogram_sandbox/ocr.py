"""OCR numbers as Bankgirot defines them: a body, a length digit, a check digit (Luhn)."""


def ocr_number(body: str) -> str:
    digits = body + str((len(body) + 2) % 10)
    return digits + check_digit(digits)


def check_digit(digits: str) -> str:
    """From the right every second digit counts double, beginning with the last; 10 to 18 give their digit sum."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits)))
    return str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)
