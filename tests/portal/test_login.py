"""In and out of the portal, and what keeps everyone else out."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from avtal.portal.security_headers import HEADERS
from avtal.store.accounts.operators import SESSION_LASTS, TRIES_MAX, TRIES_WITHIN, UserNameTaken, put_operator
from avtal.store.engine.database import Database
from tests.portal.conftest import OTHER, MovedClock
from tests.portal.visits import PASSWORD, key_of, log_in, text_of
from tests.store.builders import ACCOUNT, NOW

PAGES = ["/portal/", "/portal/contracts/c-1", "/portal/bills/c-1:0:r0"]


@pytest.mark.parametrize("path", PAGES)
async def test_without_a_session_every_page_asks_to_log_in_and_comes_back(http: httpx.AsyncClient, path: str) -> None:
    asked = await http.get(path)
    form = await http.get(asked.headers["location"])
    fields = {"form_key": key_of(form), "user": "anna", "password": PASSWORD, "next": path}
    entered = await http.post("/portal/login", data=fields)

    assert asked.status_code == 303
    assert f'name="next" value="{path}"' in form.text
    assert (entered.status_code, entered.headers["location"]) == (303, path)


async def test_the_prefix_alone_leads_to_the_start_page(http: httpx.AsyncClient) -> None:
    assert (await http.get("/portal")).headers["location"].endswith("/portal/")


async def test_the_cookie_is_for_the_portal_alone_and_out_of_reach_of_scripts(http: httpx.AsyncClient) -> None:
    cookies = (await log_in(http)).headers.get_list("set-cookie")

    session = next(cookie for cookie in cookies if cookie.startswith("avtal_session="))
    assert {"HttpOnly", "SameSite=lax", "Path=/portal", "Max-Age=43200"} <= set(session.split("; "))
    assert "Secure" not in session


async def test_over_https_the_cookie_is_secure(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://avtal") as http:
        cookies = (await log_in(http)).headers.get_list("set-cookie")

    assert all("; Secure" in cookie for cookie in cookies)


async def test_a_wrong_password_and_an_unknown_user_are_told_alike(http: httpx.AsyncClient) -> None:
    wrong, unknown = await log_in(http, password="guess"), await log_in(http, "nobody")

    assert "user name or the password is not right" in text_of(wrong, 403)
    assert text_of(unknown, 403) == text_of(wrong, 403)
    assert (await http.get("/portal/")).status_code == 303


async def test_after_ten_wrong_passwords_the_right_one_waits_a_quarter_of_an_hour(
    http: httpx.AsyncClient, clock: MovedClock
) -> None:
    tries = [(await log_in(http, password="guess")).status_code for _ in range(TRIES_MAX)]
    too_soon = await log_in(http)
    another = await log_in(http, "olle")
    clock.move(TRIES_WITHIN)

    assert tries == [403] * TRIES_MAX
    assert "Too many tries" in text_of(too_soon, 429)
    assert another.status_code == 303
    assert (await log_in(http)).status_code == 303


async def test_right_passwords_are_not_counted(http: httpx.AsyncClient) -> None:
    assert {(await log_in(http)).status_code for _ in range(TRIES_MAX + 1)} == {303}


async def test_a_session_is_over_after_twelve_hours(anna: httpx.AsyncClient, clock: MovedClock) -> None:
    clock.move(SESSION_LASTS - timedelta(seconds=1))
    before = await anna.get("/portal/")
    clock.move(timedelta(seconds=1))

    assert before.status_code == 200
    assert (await anna.get("/portal/")).status_code == 303


async def test_logging_out_ends_the_session_and_not_only_the_cookie(anna: httpx.AsyncClient) -> None:
    token = anna.cookies["avtal_session"]
    left = await anna.post("/portal/logout", data={"form_key": key_of(await anna.get("/portal/"))})
    anna.cookies.set("avtal_session", token, path="/portal")

    assert (left.status_code, left.headers["location"]) == (303, "/portal/login")
    assert (await anna.get("/portal/")).status_code == 303


@pytest.mark.parametrize("key", ["", "0" * 64, "\u00e5"])
async def test_a_form_that_another_site_made_is_refused(anna: httpx.AsyncClient, key: str) -> None:
    entered = await anna.post("/portal/login", data={"form_key": key, "user": "anna", "password": PASSWORD})
    left = await anna.post("/portal/logout", data={"form_key": key})

    assert (entered.status_code, left.status_code) == (403, 403)
    assert (await anna.get("/portal/")).status_code == 200


async def test_another_visitors_form_key_is_refused(anna: httpx.AsyncClient, olle: httpx.AsyncClient) -> None:
    key = key_of(await olle.get("/portal/"))

    assert (await anna.post("/portal/logout", data={"form_key": key})).status_code == 403


async def test_a_login_without_the_cookie_of_its_form_is_refused(http: httpx.AsyncClient) -> None:
    key = key_of(await http.get("/portal/login"))
    http.cookies.clear()
    fields = {"form_key": key, "user": "anna", "password": PASSWORD}

    assert (await http.post("/portal/login", data=fields)).status_code == 403


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/portal/\\evil", "/v1/policy", ""])
async def test_a_login_leads_only_to_pages_of_the_portal(http: httpx.AsyncClient, target: str) -> None:
    fields = {"user": "anna", "password": PASSWORD, "next": target}
    fields["form_key"] = key_of(await http.get("/portal/login"))

    assert (await http.post("/portal/login", data=fields)).headers["location"] == "/portal/"


@pytest.mark.parametrize(
    ("body", "status"), [(b"x" * 10_000, 413), (b"\xff", 400), (b"&".join([b"a=b"] * 50), 400), (b"", 403)]
)
async def test_what_is_no_form_of_ours_is_refused(http: httpx.AsyncClient, body: bytes, status: int) -> None:
    assert (await http.post("/portal/login", content=body)).status_code == status


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 300])
async def test_what_can_be_no_user_is_wrong_like_any_other(http: httpx.AsyncClient, name: str) -> None:
    assert (await log_in(http, name)).status_code == 403


async def test_another_password_ends_what_was_open(anna: httpx.AsyncClient, database: Database) -> None:
    with database.write() as session:
        put_operator(session, ACCOUNT, "anna", "another", NOW)

    assert (await anna.get("/portal/")).status_code == 303
    assert (await log_in(anna)).status_code == 403
    assert (await log_in(anna, password="another")).status_code == 303


def test_a_user_of_another_account_is_not_taken_over(database: Database) -> None:
    with database.write() as session, pytest.raises(UserNameTaken):
        put_operator(session, OTHER, "anna", "mine now", NOW)


def test_no_password_and_no_token_is_stored(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        put_operator(session, ACCOUNT, "karin", "in-the-clear", NOW)
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("avtal.db*"))

    assert b"$argon2id$" in kept
    assert b"in-the-clear" not in kept


@pytest.mark.parametrize("path", ["/portal/login", "/portal/", "/portal/nothing", "/portal/style.css"])
async def test_every_answer_tells_the_browser_to_be_careful(http: httpx.AsyncClient, path: str) -> None:
    headers = (await http.get(path)).headers

    assert all(headers[name] == value for name, value in HEADERS.items() if name != "Cache-Control")
    assert headers["cache-control"] == ("no-store" if "style" not in path else "public, max-age=31536000, immutable")
    assert "script" not in headers["content-security-policy"]
