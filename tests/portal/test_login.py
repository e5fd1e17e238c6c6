"""Login, logout, sessions, and the protection of both."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from avtal.portal.security_headers import HEADERS
from avtal.store.accounts.operators import ATTEMPTS_MAX, ATTEMPTS_WITHIN, SESSION_DURATION, UserNameTaken, put_operator
from avtal.store.engine.database import Database
from tests.portal.conftest import OTHER, FixedClock
from tests.portal.pages import PASSWORD, form_key_of, log_in, text_of
from tests.store.builders import ACCOUNT, NOW

PAGES = ["/portal/", "/portal/contracts/c-1", "/portal/bills/c-1:0:r0"]


@pytest.mark.parametrize("path", PAGES)
async def test_login_returns_to_the_requested_page(http: httpx.AsyncClient, path: str) -> None:
    redirect = await http.get(path)
    form = await http.get(redirect.headers["location"])
    fields = {"form_key": form_key_of(form), "user": "anna", "password": PASSWORD, "next": path}
    logged_in = await http.post("/portal/login", data=fields)

    assert redirect.status_code == 303
    assert f'name="next" value="{path}"' in form.text
    assert (logged_in.status_code, logged_in.headers["location"]) == (303, path)


async def test_prefix_redirects_to_the_start_page(http: httpx.AsyncClient) -> None:
    assert (await http.get("/portal")).headers["location"].endswith("/portal/")


async def test_session_cookie_is_httponly_and_for_the_portal_only(http: httpx.AsyncClient) -> None:
    cookies = (await log_in(http)).headers.get_list("set-cookie")

    session = next(cookie for cookie in cookies if cookie.startswith("avtal_session="))
    assert {"HttpOnly", "SameSite=lax", "Path=/portal", "Max-Age=43200"} <= set(session.split("; "))
    assert "Secure" not in session


async def test_cookies_are_secure_over_https(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://avtal") as http:
        cookies = (await log_in(http)).headers.get_list("set-cookie")

    names = {cookie.partition("=")[0] for cookie in cookies}
    assert names >= {"avtal_session", "avtal_form"}
    assert [cookie for cookie in cookies if "; Secure" not in cookie] == []


async def test_wrong_password_and_unknown_user_get_the_same_page(http: httpx.AsyncClient) -> None:
    wrong, unknown = await log_in(http, password="guess"), await log_in(http, "nobody")

    assert "Wrong user name or password." in text_of(wrong, 403)
    assert text_of(unknown, 403) == text_of(wrong, 403)
    assert (await http.get("/portal/")).status_code == 303


async def test_ten_wrong_passwords_block_the_user_for_fifteen_minutes(
    http: httpx.AsyncClient, clock: FixedClock
) -> None:
    tries = [(await log_in(http, password="guess")).status_code for _ in range(ATTEMPTS_MAX)]
    too_soon = await log_in(http)
    another = await log_in(http, "olle")
    clock.move(ATTEMPTS_WITHIN)

    assert tries == [403] * ATTEMPTS_MAX
    assert "Too many attempts" in text_of(too_soon, 429)
    assert another.status_code == 303
    assert (await log_in(http)).status_code == 303


async def test_successful_logins_are_not_counted(http: httpx.AsyncClient) -> None:
    assert {(await log_in(http)).status_code for _ in range(ATTEMPTS_MAX + 1)} == {303}


async def test_session_expires_after_twelve_hours(anna: httpx.AsyncClient, clock: FixedClock) -> None:
    clock.move(SESSION_DURATION - timedelta(seconds=1))
    before = await anna.get("/portal/")
    clock.move(timedelta(seconds=1))

    assert before.status_code == 200
    assert (await anna.get("/portal/")).status_code == 303


async def test_logout_ends_the_session_in_the_store(anna: httpx.AsyncClient) -> None:
    token = anna.cookies["avtal_session"]
    logout = await anna.post("/portal/logout", data={"form_key": form_key_of(await anna.get("/portal/"))})
    anna.cookies.set("avtal_session", token, path="/portal")

    assert (logout.status_code, logout.headers["location"]) == (303, "/portal/login")
    assert (await anna.get("/portal/")).status_code == 303


@pytest.mark.parametrize("key", ["", "0" * 64, "\u00e5"])
async def test_form_of_another_site_is_refused(anna: httpx.AsyncClient, key: str) -> None:
    login = await anna.post("/portal/login", data={"form_key": key, "user": "anna", "password": PASSWORD})
    logout = await anna.post("/portal/logout", data={"form_key": key})

    assert (login.status_code, logout.status_code) == (403, 403)
    assert (await anna.get("/portal/")).status_code == 200


async def test_another_visitors_form_key_is_refused(anna: httpx.AsyncClient, olle: httpx.AsyncClient) -> None:
    key = form_key_of(await olle.get("/portal/"))

    assert (await anna.post("/portal/logout", data={"form_key": key})).status_code == 403


async def test_login_without_its_form_cookie_is_refused(http: httpx.AsyncClient) -> None:
    key = form_key_of(await http.get("/portal/login"))
    http.cookies.clear()
    fields = {"form_key": key, "user": "anna", "password": PASSWORD}

    assert (await http.post("/portal/login", data=fields)).status_code == 403


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/portal/\\evil", "/v1/policy", ""])
async def test_login_redirects_only_within_the_portal(http: httpx.AsyncClient, target: str) -> None:
    fields = {"user": "anna", "password": PASSWORD, "next": target}
    fields["form_key"] = form_key_of(await http.get("/portal/login"))

    assert (await http.post("/portal/login", data=fields)).headers["location"] == "/portal/"


@pytest.mark.parametrize(
    ("body", "status"), [(b"x" * 10_000, 413), (b"\xff", 400), (b"&".join([b"a=b"] * 50), 400), (b"", 403)]
)
async def test_malformed_form_is_refused(http: httpx.AsyncClient, body: bytes, status: int) -> None:
    assert (await http.post("/portal/login", content=body)).status_code == status


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 300])
async def test_impossible_user_name_gets_the_usual_refusal(http: httpx.AsyncClient, name: str) -> None:
    assert (await log_in(http, name)).status_code == 403


async def test_new_password_ends_open_sessions(anna: httpx.AsyncClient, database: Database) -> None:
    with database.write() as session:
        put_operator(session, ACCOUNT, "anna", "another", NOW)

    assert (await anna.get("/portal/")).status_code == 303
    assert (await log_in(anna)).status_code == 403
    assert (await log_in(anna, password="another")).status_code == 303


def test_user_name_of_another_account_is_refused(database: Database) -> None:
    with database.write() as session, pytest.raises(UserNameTaken):
        put_operator(session, OTHER, "anna", "mine now", NOW)


def test_password_is_stored_only_as_a_hash(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        put_operator(session, ACCOUNT, "karin", "in-the-clear", NOW)
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("avtal.db*"))

    assert b"$argon2id$" in stored
    assert b"in-the-clear" not in stored


@pytest.mark.parametrize("path", ["/portal/login", "/portal/", "/portal/nothing", "/portal/style.css"])
async def test_every_response_has_the_security_headers(http: httpx.AsyncClient, path: str) -> None:
    headers = (await http.get(path)).headers

    expected = {name: value for name, value in HEADERS.items() if name != "Cache-Control"}
    assert {name: headers.get(name) for name in expected} == expected
    assert "Content-Security-Policy" in expected
    assert headers["cache-control"] == ("no-store" if "style" not in path else "public, max-age=31536000, immutable")
    assert "script" not in headers["content-security-policy"]
