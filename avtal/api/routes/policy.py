"""The account's policy. Each change is a new version; it holds for bills made afterwards, or for open ones too."""

from fastapi import APIRouter

from avtal.api.authentication import Asking
from avtal.api.problems.problems import READS_BODY, declared, invalid
from avtal.api.requests import PolicyChange
from avtal.api.responses.models import PolicyPreview, PreviewedChange
from avtal.contracts.policy import Policy, changed
from avtal.store.accounts.accounts import change_policy, current_policy
from avtal.store.billing.policy_changes import apply_to_open_bills, locked_open_bills, preview
from starter.sale import policy_errors

router = APIRouter(tags=["policy"])


@router.get("/policy")
def current(caller: Asking) -> Policy:
    with caller.api.database.read() as session:
        return current_policy(session, caller.account)[1]


@router.put("/policy", responses=declared(*READS_BODY))
def change(caller: Asking, body: PolicyChange) -> Policy:
    """The fields that are given are changed, the others keep their value. `apply_to: open_bills` lays the new policy
    over the bills that are made already too."""
    changes, to_open_bills = _checked(body)
    with caller.api.database.write() as session:
        reached = locked_open_bills(session, caller.account) if to_open_bills else []
        version, policy = change_policy(session, caller.account, changes, caller.api.clock.now())
        apply_to_open_bills(session, caller.account, reached, version, policy)
    caller.api.wake()
    return policy


@router.post("/policy/preview", responses=declared(*READS_BODY))
def preview_change(caller: Asking, body: PolicyChange) -> PolicyPreview:
    """Who would lose or gain access by this change, and when, if nothing else happens. Nothing is saved."""
    changes, to_open_bills = _checked(body)
    now = caller.api.clock.now()
    with caller.api.database.read() as session:
        _, policy = current_policy(session, caller.account)
        found = preview(session, caller.account, changed(policy, changes), now) if to_open_bills else ()
        return PolicyPreview(
            policy=changed(policy, changes),
            changes=[PreviewedChange(contract_id=contract_id, **dict(flip)) for contract_id, flip in found],
        )


def _checked(body: PolicyChange) -> tuple[dict[str, object], bool]:
    changes: dict[str, object] = {**body}
    to_open_bills = changes.pop("apply_to", "new_bills") == "open_bills"
    if errors := policy_errors(changes):
        raise invalid(*errors)
    return changes, to_open_bills
