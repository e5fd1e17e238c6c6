"""Published test vectors of OCR numbers and callback signatures; civil durations."""

from datetime import UTC, datetime

import pytest

from billogram_sandbox.callbacks import signatures
from billogram_sandbox.core.clock import advanced
from billogram_sandbox.rules.ocr import ocr_number


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ("12345", "1234574"),
        ("108734", "10873487"),
        ("1000001", "100000199"),
        ("20261121001", "2026112100139"),
        ("32326111127", "3232611112737"),
    ],
)
def test_ocr_number_ends_with_length_and_check_digit(body: str, number: str) -> None:
    assert ocr_number(body) == number


def test_signatures_match_the_documentation() -> None:
    callback_id = "6d2f0c1e-5b1a-4a53-9a52-0c2f3c1f7f10"
    body = f'{{"callback_id":"{callback_id}","callback_type":"BillogramEvent"}}'.encode()
    expected = "e25bf35013ba7e1d131f059d91d8de5480794e38f8bd9cf25e7f9f370b39ff0e"

    assert signatures.legacy("s3cret", callback_id) == "47fa2cecdef8209c86e3ea9c1e260959"
    assert signatures.current("s3cret", "1767225600.123456", body) == expected


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2026-03-15T12:00", "30d", "2026-04-14T11:00"),  # over the start of summer time: the local hour stays
        ("2026-10-24T12:00", "1d", "2026-10-25T13:00"),
        ("2026-10-24T12:00", "24h", "2026-10-25T12:00"),
        ("2028-02-29T12:00", "1y", "2029-02-28T12:00"),
        ("2026-01-01T00:00", "5m", "2026-01-01T00:05"),
    ],
)
def test_days_and_years_are_civil_and_hours_elapsed(start: str, duration: str, end: str) -> None:
    assert advanced(datetime.fromisoformat(start).replace(tzinfo=UTC), duration) == datetime.fromisoformat(end).replace(
        tzinfo=UTC
    )
