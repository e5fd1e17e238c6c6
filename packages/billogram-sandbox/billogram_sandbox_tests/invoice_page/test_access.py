"""Access to the invoice page: links, headers, caching, and what counts as an opening."""

import re

import httpx
import pytest

from billogram_sandbox_tests.client import Client, data, types
from billogram_sandbox_tests.page_client import get_page


async def test_draft_has_no_page(client: Client) -> None:
    draft = await client.draft()

    assert draft["url"] is None
    assert (await client.http.get("/r/None/None")).status_code == 404


async def test_wrong_number_and_wrong_token_have_the_same_response(client: Client) -> None:
    billogram, other = await client.sent(), await client.sent()
    path, token = billogram["url"].removeprefix("http://sandbox").rpartition("/")[::2]
    wrong = [f"{path}/x", f"/r/123/{token}", f"{path}/{other['url'].rpartition('/')[2]}", f"{path}/{token}x"]
    wrong += [f"{path}/x/invoice.pdf", f"{path}/x/pay", f"{path}/%C3%A5"]
    answers = [await client.http.get(each) for each in wrong]

    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert "Fakturan finns inte" in answers[0].text
    assert "There is no such invoice" in answers[0].text
    assert (await client.http.post(f"{path}/x/pay", data={"amount": "1"})).text == answers[0].text
    assert (await client.http.post(f"{path}/{token}/nothing")).status_code == 404


async def test_token_has_over_128_bits(client: Client) -> None:
    tokens = {(await client.sent())["url"].rpartition("/")[2] for _ in range(5)}

    assert len(tokens) == 5
    assert [token for token in tokens if not re.fullmatch(r"[A-Za-z0-9]{22}", token)] == []  # 131 bits


async def test_responses_have_security_headers_and_no_cookie(client: Client) -> None:
    page = await get_page(client, await client.sent())
    policy = page.headers["content-security-policy"]

    assert "set-cookie" not in page.headers
    assert "noindex" in page.headers["x-robots-tag"]
    assert 'name="robots" content="noindex' in page.text
    assert page.headers["referrer-policy"] == "same-origin"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert " style=" not in page.text
    assert {each for each in re.findall(r'(?:src|href)="([^"]+)"', page.text) if ":" in each} <= {
        "mailto:kundtjanst@tidning.example",
        *re.findall(r'"(http://sandbox/r/[^"]+)"', page.text),
    }


async def test_unchanged_page_is_a_304(client: Client) -> None:
    billogram = await client.sent()
    tag = (await get_page(client, billogram)).headers["etag"]
    again = await get_page(client, billogram, **{"If-None-Match": tag})
    english = await get_page(client, billogram, "en", **{"If-None-Match": tag})
    await client.pay(billogram["id"], amount="1.00")
    changed = await get_page(client, billogram, **{"If-None-Match": tag})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert english.status_code == 200
    assert (changed.status_code, changed.headers["etag"] != tag) == (200, True)


async def test_new_day_changes_the_etag(client: Client) -> None:
    billogram = await client.sent()
    tag = (await get_page(client, billogram)).headers["etag"]
    await client.advance("1d")

    assert (await get_page(client, billogram, **{"If-None-Match": tag})).status_code == 200


async def test_opening_is_published_once(client: Client) -> None:
    billogram = await client.sent()
    for _ in range(3):
        await get_page(client, billogram)
    opened = await client.get(billogram["id"])

    assert types(opened) == ["BillogramCreated", "BillogramSent", "DeliveryAccepted"]
    assert opened["events"][2]["data"]["ip"]


async def test_opening_is_published_after_delivery_but_not_twice(client: Client) -> None:
    billogram = await client.sent()
    for outcome in ("delivered", "opened"):
        await client.control("POST", f"/billograms/{billogram['id']}/delivery", {"outcome": outcome})
    await get_page(client, billogram)

    assert types(await client.get(billogram["id"])).count("DeliveryAccepted") == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "facebookexternalhit/1.1"},
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        {"User-Agent": "Slackbot-LinkExpanding 1.0"},
        {"User-Agent": "WhatsApp/2.23.20"},
        {"User-Agent": "Mozilla/5.0 (Macintosh) Facebot Twitterbot/1.0"},
        {"User-Agent": "SkypeUriPreview Preview/0.5"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
    ],
)
async def test_bots_do_not_count_as_opening(client: Client, headers: dict[str, str]) -> None:
    billogram = await client.sent()

    assert (await client.http.get(billogram["url"], headers=headers)).status_code == 200
    assert "DeliveryAccepted" not in types(await client.get(billogram["id"]))


async def test_cubot_telephone_is_no_bot(client: Client) -> None:
    billogram = await client.sent()
    await get_page(client, billogram, **{"User-Agent": "Mozilla/5.0 (Linux; Android 9; CUBOT X19) Chrome/120 Mobile"})

    assert "DeliveryAccepted" in types(await client.get(billogram["id"]))


async def test_head_request_does_not_count_as_opening(client: Client) -> None:
    billogram = await client.sent()
    head = await client.http.head(billogram["url"])

    assert (head.status_code, head.content) == (200, b"")
    assert "DeliveryAccepted" not in types(await client.get(billogram["id"]))


async def test_opening_of_do_not_notify_is_not_published(client: Client) -> None:
    billogram = await client.sent("DoNotNotify")
    await get_page(client, billogram)

    assert types(await client.get(billogram["id"])) == ["BillogramCreated", "BillogramSent"]


async def test_static_files_are_immutable(client: Client) -> None:
    page = (await get_page(client, await client.sent())).text
    files = re.findall(r'"(/r/[\w.]+\?v=\w+)"', page)
    answers: list[httpx.Response] = [await client.http.get(each) for each in files]

    assert len(files) == 3
    assert [each.status_code for each in answers] == [200] * 3
    assert ["immutable" in each.headers["cache-control"] for each in answers] == [True] * 3


async def test_short_links_of_older_files_work(client: Client) -> None:
    billogram = await client.sent()
    database = client.app.state.sandbox.database
    short = billogram["url"].removeprefix("http://sandbox").rpartition("/")[0] + "/aB3xZ"
    database.execute("UPDATE billograms SET doc = json_set(doc, '$.url', ?) WHERE id = ?", short, billogram["id"])

    assert (await client.http.get(short)).status_code == 200
    assert (await client.http.get(billogram["url"])).status_code == 404


async def test_page_works_after_the_customer_number_changed(client: Client) -> None:
    customer = await client.customer(language="en")
    billogram = await client.sent(customer={"customer_no": customer["customer_no"]})
    data(await client.api("PUT", f"/customer/{customer['customer_no']}", {"customer_no": 900}))

    assert (await client.http.get(billogram["url"])).status_code == 200
