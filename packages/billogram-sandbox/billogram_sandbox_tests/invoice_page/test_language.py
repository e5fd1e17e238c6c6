"""The language of the invoice page, and its texts in both languages."""

import re

import pytest

from billogram_sandbox.invoice_page.language.english import ENGLISH
from billogram_sandbox.invoice_page.language.selection import accepted_languages
from billogram_sandbox.invoice_page.language.swedish import SWEDISH
from billogram_sandbox_tests.client import Client


@pytest.mark.parametrize(
    ("customers", "browsers", "chosen", "shown"),
    [
        (None, "", "", "sv"),
        (None, "en-GB,sv;q=0.5", "", "en"),
        (None, "de, sv;q=0.4, en;q=0.7", "", "en"),
        (None, "fi", "", "sv"),
        ("en", "sv", "", "en"),
        ("sv", "en", "", "sv"),
        ("fi", "en", "", "en"),
        ("sv", "sv", "en", "en"),
        ("en", "en", "sv", "sv"),
        ("en", "en", "de", "en"),
    ],
)
async def test_language_is_chosen_else_customers_else_browsers(
    client: Client, customers: str | None, browsers: str, chosen: str, shown: str
) -> None:
    customer = await client.customer(language=customers)
    billogram = await client.sent(customer={"customer_no": customer["customer_no"]})
    address = billogram["url"] + (f"?lang={chosen}" if chosen else "")
    page = await client.http.get(address, headers={"Accept-Language": browsers})

    assert f'<html lang="{shown}"' in page.text
    assert page.headers["content-language"] == shown
    assert f"?lang={'sv' if shown == 'en' else 'en'}" in page.text


def test_accept_language_is_parsed_by_quality() -> None:
    assert accepted_languages("sv-SE, en;q=0.8, fi;q=0, de;q=x") == ["sv", "en"]


@pytest.mark.parametrize("field", ["words", "states", "when", "event_texts", "ways", "payments", "notices", "errors"])
def test_both_languages_have_the_same_texts_and_placeholders(field: str) -> None:
    swedish, english = (shape(getattr(texts, field)) for texts in (SWEDISH, ENGLISH))

    assert swedish == english


def shape(texts: dict[str, str | tuple[str, str]]) -> dict[str, list[str]]:
    """The placeholders by name."""
    return {name: sorted(re.findall(r"\{\w+\}", " ".join(text))) for name, text in rows(texts)}


def rows(texts: dict[str, str | tuple[str, str]]) -> list[tuple[str, tuple[str, ...]]]:
    return [(name, (text,) if isinstance(text, str) else text) for name, text in texts.items()]
