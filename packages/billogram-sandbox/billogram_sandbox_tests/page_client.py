"""The invoice page for tests: its parts as text, and its forms."""

import html
import re
from collections.abc import Mapping

import httpx

from billogram_sandbox_tests.client import Client, Json

MANY = [
    {"title": "Dagens Blad", "description": "Helår", "count": 1, "price": "2641.51", "vat": 6},
    {"title": "Korsordsbok", "count": 2, "price": "119.20", "discount": 20, "vat": 25},
]


async def get_page(client: Client, billogram: Json, language: str = "sv", **headers: str) -> httpx.Response:
    """As a browser requests it."""
    return await client.http.get(f"{billogram['url']}?lang={language}", headers=headers)


async def text_of(client: Client, billogram: Json, part: str = "", language: str = "sv") -> str:
    """The page, or its part with that id, as one line of text."""
    response = await get_page(client, billogram, language)
    assert response.status_code == 200
    return words_of(response.text, part)


def words_of(page: str, part: str = "") -> str:
    if part:
        page = re.split(r"\n  (?:  )?</section>", page[page.index(f'id="{part}"') :], maxsplit=1)[0]
        page = page.partition(">")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


async def submit(
    client: Client, billogram: Json, action: str, form: Mapping[str, str], **headers: str
) -> httpx.Response:
    return await client.http.post(f"{billogram['url']}/{action}", data=dict(form), headers=headers)


async def pay(client: Client, billogram: Json, **form: str) -> httpx.Response:
    """Pays what remains by Swish, unless given otherwise."""
    seen = re.search(r'name="seen" value="([^"]*)"', (await get_page(client, billogram)).text)
    usual = {"method": "swish", "amount": seen[1], "seen": seen[1]} if seen else {}
    return await submit(client, billogram, "pay", usual | form)
