"""Opens the store for a command, and the cipher of its secrets."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, ProgrammingError

from avtal.cli.settings import settings
from avtal.cli.terminal import fail
from avtal.config import cipher_of
from avtal.embedded.secrets_file import has_secrets, load_secrets
from avtal.store.engine.cipher import Cipher, SecretsUnreadable
from avtal.store.engine.clock import Clock, TestClock
from avtal.store.engine.database import Database
from avtal.store.engine.migrate import REFUSALS, schema_state
from avtal.store.opening import open_store


@contextmanager
def opened_store() -> Iterator[Database]:
    """Any failure of the store ends the command with one line."""
    given = settings()
    file = given.data_dir / "avtal.db"
    if given.database_url is None and not file.exists():
        fail(f"there is no store at {file}: create one with `avtal up` or `avtal migrate`, or set AVTAL_DATABASE_URL")
    try:
        database = open_store(given.store_url, test_clock=given.test_clock or _is_embedded())
    except (ArgumentError, ImportError) as error:
        fail(f"AVTAL_DATABASE_URL is invalid: {error}")
    try:
        state = schema_state(database)
        if state in REFUSALS:
            fail(f"the store can't be used: {REFUSALS[state]}")
        yield database
    except (OperationalError, ProgrammingError) as error:
        fail(f"the store can't be used: {_first_line(error)}; if it is new, run `avtal migrate`")
    except SecretsUnreadable as error:
        fail(str(error))
    finally:
        database.close()


def clock_of(database: Database) -> Clock:
    """Real time; the embedded stack's store has a test clock."""
    return TestClock(database) if settings().test_clock or _is_embedded() else Clock()


def cipher() -> Cipher:
    """Uses AVTAL_SECRET_KEY; the embedded stack's key is in its secrets file."""
    given = settings()
    if given.secret_key is None and _is_embedded():
        return Cipher(load_secrets(given.data_dir).cipher_key)
    try:
        return cipher_of(given)
    except ValueError as error:
        fail(str(error))


def _is_embedded() -> bool:
    given = settings()
    return given.database_url is None and has_secrets(given.data_dir)


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).partition("\n")[0]
