"""Authenticates a request by its API key. The caller sees the objects of the key's account and no others."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from cachetools import TTLCache
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from avtal.api.problems.problems import KEY_REFUSED, Problem
from avtal.contracts.access.explanation import Language
from avtal.log_context import bind_log_context
from avtal.store.accounts.accounts import account_of_key
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.clock import Clock
from avtal.store.engine.database import Database
from starter.commands import Commands

KEYS_CACHED_MAX = 10_000
KEY_CACHED_SECONDS = 10.0
LOGGABLE_ID = re.compile(r"[A-Za-z0-9._:-]{1,90}")
"""Nothing else from a path reaches the log."""
BEARER = HTTPBearer(auto_error=False, description="The account's API key; `avtal account new-key` makes one.")


@dataclass(frozen=True)
class Api:
    """What the routes need. `wake` wakes the relay; it may be called from any thread."""

    database: Database
    clock: Clock
    commands: Commands
    wake: Callable[[], None]
    cipher: Cipher
    private_endpoints: bool = False
    """Allows webhook endpoints at private addresses, and over http."""


@dataclass(frozen=True)
class Caller:
    api: Api
    account: str
    language: Language = Language.ENGLISH
    """The language of explanations: the first language in Accept-Language."""


class KeyCache:
    """Accounts by API key. Caches known keys for seconds: a website sends the same one many times a second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._accounts: TTLCache[str, str] = TTLCache(KEYS_CACHED_MAX, KEY_CACHED_SECONDS)

    async def account_of(self, key: str) -> str | None:
        if (cached := self._accounts.get(key)) is not None:
            return cached
        account = await asyncio.to_thread(self._read_account, key)
        if account is not None:
            self._accounts[key] = account
        return account

    def _read_account(self, key: str) -> str | None:
        with self._database.read() as session:
            return account_of_key(session, key)


def require_api_key(api: Api) -> Callable[..., Awaitable[None]]:
    """The dependency of every route."""
    keys = KeyCache(api.database)

    async def authenticate(
        request: Request, key: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]
    ) -> None:
        if key is None:
            raise _unauthorized("send your API key as Authorization: Bearer KEY", "Bearer")
        account = await keys.account_of(key.credentials)
        if account is None:
            raise _unauthorized("this API key is not known here", 'Bearer error="invalid_token"')
        request.state.caller = Caller(api, account, _language(request.headers.get("Accept-Language", "")))

    return authenticate


def _language(accepted: str) -> Language:
    return Language.SWEDISH if accepted.strip().lower().startswith("sv") else Language.ENGLISH


def _unauthorized(detail: str, challenge: str) -> Problem:
    return Problem(KEY_REFUSED, detail, headers={"WWW-Authenticate": challenge})


async def _current_caller(request: Request) -> Caller:
    """Also binds the log context to the objects that the path names."""
    caller = request.state.caller
    assert isinstance(caller, Caller), "the key is checked before the route"
    ids = {name: request.path_params.get(name, "") for name in ("contract_id", "bill_id")}
    bind_log_context(caller.account, **{name: value for name, value in ids.items() if LOGGABLE_ID.fullmatch(value)})
    return caller


CurrentCaller = Annotated[Caller, Depends(_current_caller)]
