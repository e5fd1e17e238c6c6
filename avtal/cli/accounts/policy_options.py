"""One option for each field of the policy, for every command that takes a policy."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any

import typer

from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.policy import Mode, OnLoss, RenewalWhileOff
from starter.sale import policy_errors

NONE = "none"

OPTIONS: dict[str, Any] = {  # Any: forms of annotations
    "mode": Annotated[Mode | None, typer.Option(help="Whether invoices wait for staff, or are sent.")],
    "default_delivery_method": Annotated[DeliveryMethod | None, typer.Option(help="Where an e-mail address is there.")],
    "placeholder_domain": Annotated[
        list[str] | None, typer.Option(help="Addresses here are no addresses; repeat it for more.")
    ],
    "payment_days": Annotated[int | None, typer.Option(help="Days from the invoice to its due date.")],
    "grace_days": Annotated[
        str | None, typer.Option(metavar="DAYS|none", help="Days after the due date until access goes off.")
    ],
    "on_loss": Annotated[OnLoss | None, typer.Option(help="What a bill that is given up does to access.")],
    "renewal_lead_days": Annotated[int | None, typer.Option(help="Days before its period that a bill is made.")],
    "work_window_minutes": Annotated[
        int | None, typer.Option(help="Renewals of a day are spread over so long after midnight.")
    ],
    "renewal_while_off": Annotated[
        RenewalWhileOff | None, typer.Option(help="What becomes of renewals while access is off.")
    ],
    "max_open_bills": Annotated[
        str | None, typer.Option(metavar="BILLS|none", help="Renewals are held while so many are unpaid.")
    ],
}


def takes_policy(command: Callable[..., None]) -> Callable[..., None]:
    """The command gets the fields that were given as `changes`; wrong usage if one can't be taken."""

    @wraps(command)
    def taking(*args: Any, **given: Any) -> None:  # Any: whatever the command itself takes
        changes = _changes({name: given.pop(name) for name in OPTIONS})
        command(*args, changes=changes, **given)

    own = inspect.signature(command)
    kept = [parameter for name, parameter in own.parameters.items() if name != "changes"]
    added = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=form)
             for name, form in OPTIONS.items()]  # fmt: skip
    taking.__signature__ = own.replace(parameters=[*kept, *added])  # type: ignore[attr-defined] # how inspect finds it
    taking.__annotations__ = {parameter.name: parameter.annotation for parameter in (*kept, *added)}
    return taking


def _changes(given: Mapping[str, Any]) -> dict[str, object]:  # Any: as typer read them
    named = {name.replace("placeholder_domain", "placeholder_domains"): value for name, value in given.items() if value}
    named |= {name: 0 for name, value in given.items() if value == 0}
    changes = {name: _value(value) for name, value in named.items()}
    for error in policy_errors(changes):
        raise typer.BadParameter(f"{error.pointer.removeprefix('/')}: {error.detail}")
    return changes


def _value(value: object) -> object:
    if value == NONE:
        return None
    return int(value) if isinstance(value, str) and value.isdecimal() else value
