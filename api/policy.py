"""The account's policy. Each change is a new version, and holds for bills made afterwards."""

from fastapi import APIRouter

from api.bodies import PolicyChange
from api.callers import Asking
from api.problems import READS_BODY, declared, invalid
from contracts.policy import Policy
from starter.sale import FieldError, policy_errors
from store.accounts import change_policy, current_policy

router = APIRouter(tags=["policy"])


@router.get("/policy")
def current(caller: Asking) -> Policy:
    with caller.api.database.read() as session:
        return current_policy(session, caller.account)[1]


@router.put("/policy", responses=declared(*READS_BODY))
def change(caller: Asking, body: PolicyChange) -> Policy:
    """The fields that are given are changed, the others keep their value."""
    changes: dict[str, object] = {**body}
    errors = _open_bills_errors(changes.pop("apply_to", "new_bills")) + policy_errors(changes)
    if errors:
        raise invalid(*errors)
    with caller.api.database.write() as session:
        return change_policy(session, caller.account, changes, caller.api.clock.now())[1]


def _open_bills_errors(apply_to: object) -> list[FieldError]:
    if apply_to == "new_bills":
        return []
    return [FieldError("/apply_to", "no field that can change as yet concerns open bills; leave it out")]
