"""Commands for accounts in the store: create, set, show, new-key, operator. Keys and passwords are printed once."""

import secrets
from collections.abc import Sequence
from typing import NoReturn

import typer
from rich.table import Table
from sqlalchemy.orm import Session

from avtal.cli.accounts.arguments import (
    BILLOGRAM,
    AccountName,
    CallbackKeyOption,
    DeliveryOption,
    GraceDaysOption,
    KeyOption,
    LeadDaysOption,
    ModeOption,
    NumberOption,
    OnLossOption,
    OpenBillsOption,
    PaymentDaysOption,
    PlaceholdersOption,
    UrlOption,
    UserName,
    UserOption,
    WhileOffOption,
    WindowOption,
    policy_changes,
)
from avtal.cli.opened_store import cipher, opened_store
from avtal.cli.settings import DataDir
from avtal.cli.terminal import fail, plain, show
from avtal.contracts.policy import Policy, with_changes
from avtal.store.accounts.accounts import (
    FIRST_CUSTOMER_NO,
    AccountExists,
    AccountNotFound,
    PlatformCredentials,
    change_policy,
    create_account,
    current_policy,
    new_api_key,
    platform_credentials,
    set_platform,
)
from avtal.store.accounts.operators import UserNameTaken, put_operator
from avtal.store.accounts.passwords import new_password
from avtal.store.engine.clock import Clock
from avtal.store.queues.inbox import failing_callbacks, unmatched_callbacks
from avtal.store.queues.outbox import failing_messages
from avtal.store.tables import AccountRow

FAILURES_SHOWN_MAX = 20

app = typer.Typer(no_args_is_help=True, help="Accounts, in the store.")


@app.callback()
def start(_data: DataDir = None) -> None:
    """Accounts, in the store."""


@app.command()
def create(
    name: AccountName,
    billogram_url: UrlOption = None,
    billogram_user: UserOption = None,
    billogram_key: KeyOption = None,
    callback_key: CallbackKeyOption = None,
    customer_no_from: NumberOption = FIRST_CUSTOMER_NO,
    mode: ModeOption = None,
    default_delivery_method: DeliveryOption = None,
    placeholder_domain: PlaceholdersOption = None,
    payment_days: PaymentDaysOption = None,
    grace_days: GraceDaysOption = None,
    on_loss: OnLossOption = None,
    renewal_lead_days: LeadDaysOption = None,
    work_window_minutes: WindowOption = None,
    renewal_while_off: WhileOffOption = None,
    max_open_bills: OpenBillsOption = None,
    _data: DataDir = None,
) -> None:
    """Create an account. It starts in mode draft unless --mode says otherwise."""
    policy = {
        "mode": mode,
        "default_delivery_method": default_delivery_method,
        "placeholder_domains": placeholder_domain,
        "payment_days": payment_days,
        "grace_days": grace_days,
        "on_loss": on_loss,
        "renewal_lead_days": renewal_lead_days,
        "work_window_minutes": work_window_minutes,
        "renewal_while_off": renewal_while_off,
        "max_open_bills": max_open_bills,
    }
    signing_key = callback_key or secrets.token_hex(32)
    keys = (signing_key,)
    platform = PlatformCredentials(
        url=billogram_url or BILLOGRAM, user=billogram_user or "", key=billogram_key or "", callback_keys=keys
    )
    api_key = _create(name, platform, with_changes(Policy(), policy_changes(policy)), customer_no_from)
    _print_once(api_key=api_key, **({} if callback_key else {"callback_key": signing_key}))
    if not (billogram_user and billogram_key):
        typer.echo(f"Next: avtal account set {name} --billogram-user USER --billogram-key KEY", err=True)


@app.command("set")
def change(
    name: AccountName,
    billogram_url: UrlOption = None,
    billogram_user: UserOption = None,
    billogram_key: KeyOption = None,
    callback_key: CallbackKeyOption = None,
    mode: ModeOption = None,
    default_delivery_method: DeliveryOption = None,
    placeholder_domain: PlaceholdersOption = None,
    payment_days: PaymentDaysOption = None,
    grace_days: GraceDaysOption = None,
    on_loss: OnLossOption = None,
    renewal_lead_days: LeadDaysOption = None,
    work_window_minutes: WindowOption = None,
    renewal_while_off: WhileOffOption = None,
    max_open_bills: OpenBillsOption = None,
    _data: DataDir = None,
) -> None:
    """Change what is given. A policy change applies to bills that are made afterwards."""
    policy = {
        "mode": mode,
        "default_delivery_method": default_delivery_method,
        "placeholder_domains": placeholder_domain,
        "payment_days": payment_days,
        "grace_days": grace_days,
        "on_loss": on_loss,
        "renewal_lead_days": renewal_lead_days,
        "work_window_minutes": work_window_minutes,
        "renewal_while_off": renewal_while_off,
        "max_open_bills": max_open_bills,
    }
    keys = None if callback_key is None else (callback_key,)
    platform = {"url": billogram_url, "user": billogram_user, "key": billogram_key, "callback_keys": keys}
    _change(name, policy_changes(policy), {field: value for field, value in platform.items() if value is not None})
    show_account(name)


@app.command("show")
def show_account(name: AccountName, _data: DataDir = None) -> None:
    """The account's policy and its Billogram user. Keys are not shown."""
    with opened_store() as database, database.read() as session:
        row = session.get(AccountRow, name) or _unknown_account(name)
        version, policy = current_policy(session, name)
        unmatched, failing = _unmatched(session, name), _failing(session, name)
    fields = {
        "account": name,
        "billogram_url": row.platform_url,
        "billogram_user": row.platform_user or None,
        "next_customer_no": row.next_customer_no,
        "policy version": version,
        **policy.model_dump(mode="json"),
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    for field, value in fields.items():
        table.add_row(field, plain(", ".join(value) if isinstance(value, list) else value))
    _add_list(table, "callbacks without a bill", unmatched)
    _add_list(table, "failed, to be retried", failing, FAILURES_SHOWN_MAX)
    show(table)


def _unmatched(session: Session, account: str) -> list[str]:
    return [
        f"{one.received_at:%Y-%m-%d %H:%M} {one.callback_id}: {one.last_error}"
        for one in unmatched_callbacks(session, account)
    ]


def _failing(session: Session, account: str) -> list[str]:
    callbacks = [f"callback {one.callback_id}: {one.last_error}" for one in failing_callbacks(session, account)]
    return callbacks + [
        f"message for {one.bill_id or one.contract_id}: {one.last_error}" for one in failing_messages(session, account)
    ]


def _add_list(table: Table, title: str, lines: Sequence[str], lines_max: int | None = None) -> None:
    table.add_row(title, plain(len(lines)))
    for line in lines[:lines_max]:
        table.add_row("", plain(line))


@app.command("new-key")
def new_key(name: AccountName, _data: DataDir = None) -> None:
    """Create one more API key; the existing ones stay valid."""
    with opened_store() as database, database.write() as session:
        try:
            key = new_api_key(session, name, Clock().now())
        except AccountNotFound:
            _unknown_account(name)
    _print_once(api_key=key)


@app.command()
def operator(name: AccountName, user: UserName, _data: DataDir = None) -> None:
    """Create an operator of the portal, or replace an operator's password and log the operator out."""
    password = new_password()
    with opened_store() as database, database.write() as session:
        try:
            put_operator(session, name, user, password, Clock().now())
        except AccountNotFound:
            _unknown_account(name)
        except UserNameTaken:
            fail(f"another account has an operator {user}; choose another name")
    _print_once(user=user, password=password)


def _create(name: str, platform: PlatformCredentials, policy: Policy, customer_no_from: int) -> str:
    """Returns its API key."""
    now = Clock().now()
    with opened_store() as database, database.write() as session:
        try:
            create_account(session, cipher(), name, platform, policy, now, customer_no_from)
        except AccountExists:
            fail(f"there is an account {name}; change it with `avtal account set {name} …`")
        return new_api_key(session, name, now)


def _change(name: str, policy: dict[str, object], platform: dict[str, object]) -> None:
    if not policy and not platform:
        raise typer.BadParameter("say what to change; --help lists it")
    with opened_store() as database, database.write() as session:
        try:
            change_policy(session, name, policy, Clock().now())
        except AccountNotFound:
            _unknown_account(name)
        if platform:
            stored = platform_credentials(session, cipher(), name)
            assert stored is not None, "the account exists"
            set_platform(session, cipher(), name, stored.model_copy(update=platform))


def _print_once(**values: str) -> None:
    for name, value in values.items():
        typer.echo(f"{name}: {value}")
    typer.echo("Shown only once; store it safely.", err=True)


def _unknown_account(name: str) -> NoReturn:
    fail(f"there is no account {name}; create it with `avtal account create {name}`")
