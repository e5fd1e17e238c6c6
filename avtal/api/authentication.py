"""Who asks: the account that the request's API key belongs to. It sees its own objects and nothing else."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

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

ID = re.compile(r"[A-Za-z0-9._:-]{1,90}")
"""Whatever else stands in a path is not for the log."""
BEARER = HTTPBearer(auto_error=False, description="The account's API key; `avtal account new-key` makes one.")


@dataclass(frozen=True)
class Api:
    """What the endpoints work with. `wake` tells the relay of new work; it may be called from any thread."""

    database: Database
    clock: Clock
    commands: Commands
    wake: Callable[[], None]
    cipher: Cipher
    private_endpoints: bool = False
    """The publisher may be told at private addresses, and by http."""


@dataclass(frozen=True)
class Caller:
    api: Api
    account: str
    language: Language = Language.ENGLISH
    """Of explanations, by the first language that Accept-Language names."""


KEYS_KNOWN_MAX = 10_000
KEY_KNOWN_SECONDS = 10.0


class KnownKeys:
    """Keys that were found in the store a moment ago: pages ask with the same one many times a second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[str, float]] = {}

    async def account_of(self, key: str) -> str | None:
        account, until = self._known.get(key, (None, 0.0))
        if time.monotonic() < until:
            return account
        found = await asyncio.to_thread(self._look_up, key)
        if found is not None:
            if len(self._known) >= KEYS_KNOWN_MAX:
                self._known.clear()
            self._known[key] = found, time.monotonic() + KEY_KNOWN_SECONDS
        return found

    def _look_up(self, key: str) -> str | None:
        with self._database.read() as session:
            return account_of_key(session, key)


def key_check(api: Api) -> Callable[..., Awaitable[None]]:
    """The dependency that stands before every endpoint of the API."""
    known = KnownKeys(api.database)

    async def check(request: Request, key: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]) -> None:
        if key is None:
            raise _refusal("send your API key as Authorization: Bearer KEY", "Bearer")
        account = await known.account_of(key.credentials)
        if account is None:
            raise _refusal("this API key is not known here", 'Bearer error="invalid_token"')
        request.state.caller = Caller(api, account, _language(request.headers.get("Accept-Language", "")))

    return check


def _language(asked: str) -> Language:
    return Language.SWEDISH if asked.strip().lower().startswith("sv") else Language.ENGLISH


def _refusal(detail: str, challenge: str) -> Problem:
    return Problem(KEY_REFUSED, detail, headers={"WWW-Authenticate": challenge})


async def _caller(request: Request) -> Caller:
    caller = request.state.caller
    assert isinstance(caller, Caller), "the key is checked before the endpoint"
    ids = {name: request.path_params.get(name, "") for name in ("contract_id", "bill_id")}
    bind_log_context(caller.account, **{name: value for name, value in ids.items() if ID.fullmatch(value)})
    return caller


Asking = Annotated[Caller, Depends(_caller)]
