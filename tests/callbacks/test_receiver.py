"""Which callbacks the receiver stores, and what it responds to the others."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from avtal.billogram.signature import sign
from avtal.callbacks import receiver
from avtal.callbacks.receiver import BODY_BYTES_MAX, Receiver, receiver_router
from avtal.contracts.policy import Policy
from avtal.store.accounts.accounts import PlatformCredentials, create_account, set_platform
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.clock import Clock
from avtal.store.engine.database import Database
from avtal.store.tables import CallbackRow
from tests.store.builders import CALLBACK_KEY, KEY, NOW

STAMP = "1767225600.123456"
EVENT = json.dumps({"callback_id": "one", "callback_type": "BillogramEvent", "billogram": {"id": "Xk29fPw"}}).encode()


@pytest.fixture
def database(database: Database) -> Database:
    keyless = PlatformCredentials(url="http://127.0.0.1:1", user="user", key="key")
    with database.write() as session:
        create_account(session, Cipher(KEY), "keyless", keyless, Policy(), NOW, 1)
    return database


@asynccontextmanager
async def serving(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(receiver_router(Receiver(database, Cipher(KEY), Clock(), lambda: None)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://avtal") as client:
        yield client


@pytest.fixture
async def http(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(database) as client:
        yield client


async def send(http: httpx.AsyncClient, body: bytes, account: str = "demo", key: str = CALLBACK_KEY) -> int:
    headers = {"Billogram-Request-Timestamp": STAMP, "Billogram-Signature": sign(key, STAMP, body)}
    response = await http.post(f"/callbacks/billogram/{account}", content=body, headers=headers)
    return response.status_code


def stored(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as session:
        rows = session.scalars(sa.select(CallbackRow).order_by(CallbackRow.id))
        return [(row.callback_id, row.group_key, row.state) for row in rows]


async def test_a_repeated_callback_is_stored_once(http: httpx.AsyncClient, database: Database) -> None:
    statuses = [await send(http, EVENT) for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert stored(database) == [("one", "Xk29fPw", "new")]


@pytest.mark.parametrize(
    ("account", "key", "body", "status"),
    [
        ("demo", "another key", EVENT, 401),
        ("keyless", "", EVENT, 401),
        ("nobody", CALLBACK_KEY, EVENT, 404),
        ("de%00mo", CALLBACK_KEY, EVENT, 404),
        ("demo", CALLBACK_KEY, b"<html>", 400),
        ("demo", CALLBACK_KEY, b"[1, 2]", 400),
        ("demo", CALLBACK_KEY, b'{"a":' * 50_000, 400),
        ("demo", CALLBACK_KEY, '{"callback_id": "å"}'.encode("utf-16"), 400),
        ("demo", CALLBACK_KEY, b" " * (BODY_BYTES_MAX + 1), 413),
    ],
)
async def test_a_forged_or_malformed_callback_is_not_stored(
    http: httpx.AsyncClient, database: Database, account: str, key: str, body: bytes, status: int
) -> None:
    assert await send(http, body, account, key) == status
    assert stored(database) == []


async def test_an_unknown_kind_without_an_id_is_stored_once(http: httpx.AsyncClient, database: Database) -> None:
    body = b'{"callback_type": "SomethingNew"}'
    statuses = [await send(http, body), await send(http, body)]

    assert statuses == [200, 200]
    assert [callback_id.partition(":")[0] for callback_id, _, _ in stored(database)] == ["sha256"]


@pytest.mark.parametrize(
    ("recall", "group_key"),
    [
        ({"payables": [{"billogram": {"id": "Xk29fPw"}}, {"billogram": {"id": "Other1"}}]}, "Xk29fPw"),
        ({"payables": []}, "one"),
        ({"payables": [7]}, "one"),
        ([], "one"),
    ],
)
async def test_a_recall_is_grouped_with_its_billogram(
    http: httpx.AsyncClient, database: Database, recall: object, group_key: str
) -> None:
    body = json.dumps({"callback_id": "one", "callback_type": "PaymentRecalled", "payment_recall": recall}).encode()

    assert await send(http, body) == 200
    assert stored(database) == [("one", group_key, "new")]


@pytest.mark.parametrize("name", ["a\\u0000b", "\\ud800", ""])
async def test_an_id_that_a_database_can_not_store_is_replaced_by_a_hash(
    http: httpx.AsyncClient, database: Database, name: str
) -> None:
    body = f'{{"callback_id": "{name}", "billogram": {{"id": "{name}"}}}}'.encode()

    assert await send(http, body) == 200
    assert [callback_id.partition(":")[0] for callback_id, _, _ in stored(database)] == ["sha256"]


async def test_an_unsigned_callback_is_refused(http: httpx.AsyncClient) -> None:
    assert (await http.post("/callbacks/billogram/demo", content=EVENT)).status_code == 401


def change_key(database: Database, key: str) -> None:
    platform = PlatformCredentials(url="http://127.0.0.1:1", user="user", key="key", callback_keys=(key,))
    with database.write() as session:
        set_platform(session, Cipher(KEY), "demo", platform)


async def test_a_key_is_accepted_during_one_rotation_and_refused_after_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "KEYS_CACHED_SECONDS", 0.0)
    async with serving(database) as http:
        statuses = [await send(http, EVENT)]
        for key in ("second", "third"):
            change_key(database, key)
            statuses += [await send(http, EVENT, key=key), await send(http, EVENT)]

    assert statuses == [200, 200, 200, 200, 401]


async def test_cached_keys_are_not_read_again_unless_the_signature_fails(
    http: httpx.AsyncClient, database: Database
) -> None:
    await send(http, EVENT)
    statements: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *event: statements.append(event[2]))
    repeated = await send(http, EVENT)
    change_key(database, "second")
    changed = [await send(http, EVENT, key="second"), await send(http, EVENT)]

    assert (repeated, changed) == (200, [200, 200])
    assert sum("FROM accounts" in statement and "WHERE" in statement for statement in statements) == 2
