"""Who may use the portal: an operator of an account, with a password that is printed once."""

import re
from typing import Annotated

import typer

from avtal.cli.accounts.names import AccountName, print_once, unknown_account
from avtal.cli.failure import fail
from avtal.cli.opened_store import opened_store
from avtal.store.accounts.accounts import AccountNotFound
from avtal.store.accounts.operators import UserNameTaken, put_operator
from avtal.store.accounts.passwords import new_password
from avtal.store.engine.clock import Clock

USER = re.compile(r"[A-Za-z0-9._@+-]{1,64}")


def _user(user: str) -> str:
    if not USER.fullmatch(user):
        raise typer.BadParameter("takes 1 to 64 of A-Z a-z 0-9 . _ @ + -")
    return user


UserName = Annotated[
    str, typer.Argument(metavar="USER", callback=_user, help="The operator's name for the login; an e-mail will do.")
]


def operator(name: AccountName, user: UserName) -> None:
    """Make an operator of the account, or give one another password, which logs the operator out."""
    password = new_password()
    with opened_store() as database, database.write() as session:
        try:
            put_operator(session, name, user, password, Clock().now())
        except AccountNotFound:
            unknown_account(name)
        except UserNameTaken:
            fail(f"another account has an operator {user}; choose another name")
    print_once(user=user, password=password)
