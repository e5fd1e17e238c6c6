"""Arguments and options of the account commands, with one option for each field of the policy."""

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

import typer

from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.policy import Mode, OnLoss, RenewalWhileOff
from starter.fields import policy_errors

BILLOGRAM = "https://billogram.com/api/v2"
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
USER = re.compile(r"[A-Za-z0-9._@+-]{1,64}")
NONE = "none"


def _name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise typer.BadParameter("takes 1 to 64 of A-Z a-z 0-9 . _ -")
    return name


def _user(user: str) -> str:
    if not USER.fullmatch(user):
        raise typer.BadParameter("takes 1 to 64 of A-Z a-z 0-9 . _ @ + -")
    return user


def _api_url(text: str) -> str:
    """Refuses a wrong URL here; otherwise the account's first invoice would fail."""
    try:
        url = urlsplit(text)
        is_usable = url.scheme in ("http", "https") and url.hostname and (url.port is None or url.port > 0)
    except ValueError:
        is_usable = False
    if not is_usable or url.username is not None or url.query or url.fragment or " " in text:
        raise typer.BadParameter(f"give an address like {BILLOGRAM}; user and key have options of their own")
    return text


AccountName = Annotated[str, typer.Argument(metavar="NAME", callback=_name, help="The account's name.")]
UserName = Annotated[
    str,
    typer.Argument(metavar="USER", callback=_user, help="The operator's login name, for example an e-mail address."),
]

UrlOption = Annotated[
    str | None, typer.Option(parser=_api_url, metavar="URL", help=f"Billogram's API; {BILLOGRAM} unless given.")
]
UserOption = Annotated[str | None, typer.Option(help="The API user at Billogram.")]
KeyOption = Annotated[str | None, typer.Option(envvar="AVTAL_BILLOGRAM_KEY", help="The API user's key.")]
CallbackKeyOption = Annotated[
    str | None, typer.Option(envvar="AVTAL_CALLBACK_KEY", help="Signs callbacks; as entered at Billogram.")
]
NumberOption = Annotated[int, typer.Option(min=1, help="The first customer number at Billogram.")]

ModeOption = Annotated[Mode | None, typer.Option(help="Whether invoices wait for staff or are sent.")]
DeliveryOption = Annotated[DeliveryMethod | None, typer.Option(help="For subscribers with an e-mail address.")]
PlaceholdersOption = Annotated[
    list[str] | None, typer.Option(help="Domain of invented e-mail addresses; repeat it for more.")
]
PaymentDaysOption = Annotated[int | None, typer.Option(help="Days from the invoice to its due date.")]
GraceDaysOption = Annotated[
    str | None, typer.Option(metavar="DAYS|none", help="Days after the due date until access goes off.")
]
OnLossOption = Annotated[OnLoss | None, typer.Option(help="What a loss does to access.")]
LeadDaysOption = Annotated[int | None, typer.Option(help="Days before its period that a bill is made.")]
WindowOption = Annotated[
    int | None, typer.Option(help="Minutes after midnight over which a day's renewals are spread.")
]
WhileOffOption = Annotated[RenewalWhileOff | None, typer.Option(help="What a renewal does while access is off.")]
OpenBillsOption = Annotated[
    str | None, typer.Option(metavar="BILLS|none", help="Renewals are held while this many bills are unpaid.")
]


def policy_changes(given: Mapping[str, object]) -> dict[str, object]:
    """The policy's fields that were given. Raises BadParameter for a value that no policy takes."""
    changes = {name: _value(value) for name, value in given.items() if value not in (None, "", [])}
    for error in policy_errors(changes):
        raise typer.BadParameter(f"{error.pointer.removeprefix('/')}: {error.detail}")
    return changes


def _value(value: object) -> object:
    if value == NONE:
        return None
    return int(value) if isinstance(value, str) and value.isdecimal() else value
