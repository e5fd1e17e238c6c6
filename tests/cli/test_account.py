"""`avtal account`, on the store."""

from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from avtal.cli.accounts import commands as account
from avtal.cli.app import app
from avtal.contracts.policy import Mode, Policy
from avtal.store.accounts.accounts import account_of_key, current_policy, platform_credentials
from avtal.store.accounts.operators import password_hash_of
from avtal.store.accounts.passwords import is_right
from avtal.store.engine.cipher import Cipher, new_cipher_key
from avtal.store.engine.database import Database
from avtal.store.queues.inbox import claim_callbacks, defer_callback
from avtal.store.tables import OutboxRow
from tests.store.builders import new_callback

SECRET = new_cipher_key()


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVTAL_SECRET_KEY", SECRET)


def avtal(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["account", *arguments])
    assert result.exit_code == status, result.output
    return result.stderr if status else result.stdout


def test_a_new_account_is_in_draft_mode_and_its_keys_are_printed_once(database: Database) -> None:
    printed = dict(line.split(": ") for line in avtal("create", "paper").splitlines())
    shown = avtal("show", "paper")

    with database.read() as session:
        known = platform_credentials(session, Cipher(SECRET), "paper")
        assert account_of_key(session, printed["api_key"]) == "paper"
        assert known is not None
        assert known.callback_keys == (printed["callback_key"],)
        assert current_policy(session, "paper") == (1, Policy(mode=Mode.DRAFT))
    assert not any(key in shown for key in printed.values())


def test_set_changes_only_the_options_that_are_given(database: Database) -> None:
    avtal("create", "paper", "--billogram-user", "u", "--billogram-key", "k", "--callback-key", "first")
    avtal("set", "paper", "--mode", "automatic", "--placeholder-domain", "a.se", "--placeholder-domain", "b.se")
    avtal("set", "paper", "--billogram-key", "k2", "--callback-key", "second")

    with database.read() as session:
        version, policy = current_policy(session, "paper")
        known = platform_credentials(session, Cipher(SECRET), "paper")
    assert version == 2
    assert policy == Policy(mode=Mode.AUTOMATIC, placeholder_domains=("a.se", "b.se"))
    assert known is not None
    assert (known.user, known.key, known.callback_keys) == ("u", "k2", ("second", "first"))


def test_an_account_can_have_several_api_keys(database: Database) -> None:
    first = avtal("create", "paper").splitlines()[0].removeprefix("api_key: ")
    second = avtal("new-key", "paper").splitlines()[0].removeprefix("api_key: ")

    with database.read() as session:
        assert [account_of_key(session, key) for key in (first, second)] == ["paper", "paper"]


def test_a_repeated_operator_command_replaces_the_password(database: Database) -> None:
    avtal("create", "paper")
    first, second = (dict(line.split(": ") for line in avtal("operator", "paper", "anna").splitlines()) for _ in "12")

    with database.read() as session:
        stored = password_hash_of(session, "anna")
    assert first["user"] == second["user"] == "anna"
    assert not is_right(first["password"], stored)
    assert is_right(second["password"], stored)


def test_an_operator_name_belongs_to_one_account(database: Database) -> None:  # noqa: ARG001 - the store
    avtal("create", "paper")
    avtal("create", "weekly")
    avtal("operator", "paper", "anna")

    assert "another account has an operator anna" in avtal("operator", "weekly", "anna", status=1)
    assert "1 to 64" in avtal("operator", "weekly", "a b", status=2)


def test_every_policy_field_has_an_option() -> None:
    options = {option.name for option in get_command(account.app).commands["set"].params}  # type: ignore[attr-defined] # a group
    free = Policy.model_fields.keys() - {"placeholder_domains"} | {"placeholder_domain"}

    assert free <= options


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", "paper"], "there is an account paper"),
        (["set", "nobody", "--mode", "draft"], "no account nobody"),
        (["show", "nobody"], "no account nobody"),
        (["new-key", "nobody"], "no account nobody"),
        (["operator", "nobody", "anna"], "no account nobody"),
    ],
)
@pytest.mark.usefixtures("database")
def test_unknown_and_existing_accounts_are_refused_in_one_line(arguments: list[str], message: str) -> None:
    avtal("create", "paper")

    assert message in avtal(*arguments, status=1)


@pytest.mark.parametrize(
    "url",
    ["", "billogram.com/api/v2", "ftp://billogram.com", "https://", "http://[bad", "http://host:port", "http://a b.se",
     "https://user:key@billogram.com/api/v2", "https://billogram.com/api/v2?page=1"],
)  # fmt: skip
@pytest.mark.usefixtures("database")
def test_an_unusable_billogram_url_is_refused_at_once(url: str) -> None:
    avtal("create", "paper")

    for command in (["create", "other"], ["set", "paper"]):
        assert "give an address like https://billogram.com/api/v2" in " ".join(
            avtal(*command, "--billogram-url", url, status=2).replace("│", " ").split()
        )


def test_without_a_store_the_command_says_how_to_create_one() -> None:
    assert "avtal migrate" in avtal("show", "paper", status=1)


@pytest.mark.usefixtures("database")
def test_without_a_secret_key_no_account_is_created(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AVTAL_SECRET_KEY")

    assert "AVTAL_SECRET_KEY is not set" in avtal("create", "paper", status=1)
    assert "no account paper" in avtal("show", "paper", status=1)


def test_a_store_without_a_schema_must_be_migrated(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "avtal.db").touch()

    assert "avtal migrate" in avtal("show", "paper", status=1)


def test_migrate_creates_the_store() -> None:
    assert CliRunner().invoke(app, ["migrate"]).exit_code == 0
    avtal("create", "paper")


def test_failing_callbacks_and_messages_are_shown_with_their_errors(database: Database) -> None:
    avtal("create", "paper")
    with database.write() as session:
        new_callback(session, "one", "Xk29fPw", account="paper")
        [callback] = claim_callbacks(session, 1000.0, 1)
        defer_callback(session, callback, 1001.0, "an internal error (KeyError)")
        session.add(
            OutboxRow(account="paper", contract_id="c-1", last_error="dispatch to Temporal failed: UNAVAILABLE")
        )
    shown = " ".join(avtal("show", "paper").split())

    assert "callback one: an internal error (KeyError)" in shown
    assert "message for c-1: dispatch to Temporal failed: UNAVAILABLE" in shown
