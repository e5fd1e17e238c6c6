"""What the tests of the reader's page look at it with: its parts as text, and its forms sent."""

import html
import re
from collections.abc import Mapping

import httpx

from billogram_sandbox_tests.client import Client, Json

MANY = [
    {"title": "Dagens Blad", "description": "Helår", "count": 1, "price": "2641.51", "vat": 6},
    {"title": "Korsordsbok", "count": 2, "price": "119.20", "discount": 20, "vat": 25},
]


async def read(client: Client, billogram: Json, language: str = "sv", **headers: str) -> httpx.Response:
    """As somebody's browser asks for it."""
    return await client.http.get(f"{billogram['url']}?lang={language}", headers=headers)


async def text_of(client: Client, billogram: Json, part: str = "", language: str = "sv") -> str:
    """The page, or the part of that name, as one line of words."""
    response = await read(client, billogram, language)
    assert response.status_code == 200
    return words(response.text, part)


def words(page: str, part: str = "") -> str:
    if part:
        page = re.split(r"\n  (?:  )?</section>", page[page.index(f'id="{part}"') :], maxsplit=1)[0]
        page = page.partition(">")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


async def send(client: Client, billogram: Json, deed: str, form: Mapping[str, str], **headers: str) -> httpx.Response:
    return await client.http.post(f"{billogram['url']}/{deed}", data=dict(form), headers=headers)


async def pay(client: Client, billogram: Json, **form: str) -> httpx.Response:
    """All that remains by Swish, unless told otherwise."""
    seen = re.search(r'name="seen" value="([^"]*)"', (await read(client, billogram)).text)
    usual = {"method": "swish", "amount": seen[1], "seen": seen[1]} if seen else {}
    return await send(client, billogram, "pay", usual | form)
