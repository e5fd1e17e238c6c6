"""Accounts, on the store itself: create, set, show, new-key, operator. Keys and secrets are printed once."""

import secrets
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.table import Table

from avtal.cli.accounts import operators
from avtal.cli.accounts.names import AccountName, print_once, unknown_account
from avtal.cli.accounts.policy_options import takes_policy
from avtal.cli.failure import fail
from avtal.cli.opened_store import cipher, opened_store
from avtal.cli.output import plain, show
from avtal.contracts.policy import Policy, changed
from avtal.store.accounts.accounts import (
    FIRST_CUSTOMER_NO,
    AccountExists,
    AccountNotFound,
    PlatformAccess,
    change_policy,
    create_account,
    current_policy,
    new_api_key,
    platform_access,
    set_platform,
)
from avtal.store.engine.clock import Clock
from avtal.store.queues.inbox import failing_callbacks, unmatched_callbacks
from avtal.store.queues.outbox import failing_messages
from avtal.store.tables import AccountRow

BILLOGRAM = "https://billogram.com/api/v2"
WAITING_SHOWN_MAX = 20

app = typer.Typer(no_args_is_help=True, help="Accounts, on the store itself.")
app.command("operator")(operators.operator)


def api_url(text: str) -> str:
    """Else the account's first invoice would be the one to find out. Raises BadParameter."""
    try:
        where = urlsplit(text)
        is_usable = where.scheme in ("http", "https") and where.hostname and (where.port is None or where.port > 0)
    except ValueError:
        is_usable = False
    if not is_usable or where.username is not None or where.query or where.fragment or " " in text:
        raise typer.BadParameter(f"give an address like {BILLOGRAM}; user and key have options of their own")
    return text


UrlOption = Annotated[
    str | None, typer.Option(parser=api_url, metavar="URL", help=f"Billogram's API; {BILLOGRAM} unless given.")
]
UserOption = Annotated[str | None, typer.Option(help="The API user at Billogram.")]
KeyOption = Annotated[str | None, typer.Option(envvar="AVTAL_BILLOGRAM_KEY", help="Its key.")]
CallbackKeyOption = Annotated[
    str | None, typer.Option(envvar="AVTAL_CALLBACK_KEY", help="Signs callbacks; as entered at Billogram.")
]
NumberOption = Annotated[int, typer.Option(min=1, help="Customers at Billogram are numbered from here on.")]


@app.command()
@takes_policy
def create(
    name: AccountName,
    changes: dict[str, object],
    billogram_url: UrlOption = None,
    billogram_user: UserOption = None,
    billogram_key: KeyOption = None,
    callback_key: CallbackKeyOption = None,
    customer_no_from: NumberOption = FIRST_CUSTOMER_NO,
) -> None:
    """Make an account. It starts in mode draft unless told otherwise."""
    signing = callback_key or secrets.token_hex(32)
    platform = PlatformAccess(
        url=billogram_url or BILLOGRAM, user=billogram_user or "", key=billogram_key or "", callback_keys=(signing,)
    )
    now = Clock().now()
    with opened_store() as database, database.write() as session:
        try:
            create_account(session, cipher(), name, platform, changed(Policy(), changes), now, customer_no_from)
        except AccountExists:
            fail(f"there is an account {name}; change it with `avtal account set {name} …`")
        key = new_api_key(session, name, now)
    print_once(api_key=key, **({} if callback_key else {"callback_key": signing}))
    if not (billogram_user and billogram_key):
        typer.echo(f"Next: avtal account set {name} --billogram-user USER --billogram-key KEY", err=True)


@app.command("set")
@takes_policy
def change(
    name: AccountName,
    changes: dict[str, object],
    billogram_url: UrlOption = None,
    billogram_user: UserOption = None,
    billogram_key: KeyOption = None,
    callback_key: CallbackKeyOption = None,
) -> None:
    """Change what is given. A change of policy holds for bills made afterwards."""
    given = {"url": billogram_url, "user": billogram_user, "key": billogram_key}
    credentials: dict[str, object] = {field: value for field, value in given.items() if value is not None}
    if callback_key is not None:
        credentials["callback_keys"] = (callback_key,)
    if not changes and not credentials:
        raise typer.BadParameter("say what to change; --help lists it")
    with opened_store() as database, database.write() as session:
        try:
            change_policy(session, name, changes, Clock().now())
        except AccountNotFound:
            unknown_account(name)
        if credentials:
            known = platform_access(session, cipher(), name)
            assert known is not None, "the account's policy was found"
            set_platform(session, cipher(), name, known.model_copy(update=credentials))
    show_account(name)


@app.command("show")
def show_account(name: AccountName) -> None:
    """The account's policy, and where it sends its invoices. Its keys are not shown."""
    with opened_store() as database, database.read() as session:
        row = session.get(AccountRow, name) or unknown_account(name)
        version, policy = current_policy(session, name)
        unmatched = unmatched_callbacks(session, name)
        waiting = [
            *((f"callback {one.callback_id}", one.last_error) for one in failing_callbacks(session, name)),
            *((f"news of {one.bill_id or one.contract_id}", one.last_error) for one in failing_messages(session, name)),
        ]
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_row("account", plain(name))
    table.add_row("billogram_url", plain(row.platform_url))
    table.add_row("billogram_user", plain(row.platform_user or None))
    table.add_row("next_customer_no", plain(row.next_customer_no))
    table.add_row("policy version", plain(version))
    for field, value in policy.model_dump(mode="json").items():
        table.add_row(field, plain(", ".join(value) if isinstance(value, list) else value))
    table.add_row("callbacks without a bill", plain(len(unmatched)))
    for callback in unmatched:
        table.add_row("", plain(f"{callback.received_at:%Y-%m-%d %H:%M} {callback.callback_id}: {callback.last_error}"))
    table.add_row("tried in vain, tried again", plain(len(waiting)))
    for what, last_error in waiting[:WAITING_SHOWN_MAX]:
        table.add_row("", plain(f"{what}: {last_error}"))
    show(table)


@app.command("new-key")
def new_key(name: AccountName) -> None:
    """Another API key for the account; the ones before stay valid."""
    with opened_store() as database, database.write() as session:
        try:
            key = new_api_key(session, name, Clock().now())
        except AccountNotFound:
            unknown_account(name)
    print_once(api_key=key)
