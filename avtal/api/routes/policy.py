"""The account's policy: read, change, preview. A change holds for bills made afterwards, or for open bills too."""

from fastapi import APIRouter

from avtal.api.authentication import CurrentCaller
from avtal.api.problems.problems import BODY_ERRORS, invalid, problem_responses
from avtal.api.requests import PolicyChange
from avtal.api.responses.bodies import PolicyPreview, PreviewedChange
from avtal.contracts.policy import Policy, with_changes
from avtal.store.accounts.accounts import change_policy, current_policy
from avtal.store.billing.policy_changes import apply_to_open_bills, locked_open_bills
from avtal.store.queries.policy_preview import preview
from starter.fields import policy_errors

router = APIRouter(tags=["policy"])


@router.get("/policy")
def get_policy(caller: CurrentCaller) -> Policy:
    with caller.api.database.read() as session:
        return current_policy(session, caller.account)[1]


@router.put("/policy", responses=problem_responses(*BODY_ERRORS))
def update_policy(caller: CurrentCaller, body: PolicyChange) -> Policy:
    """Omitted fields keep their value. `apply_to: open_bills` applies the change to open bills too."""
    changes, to_open_bills = _valid_changes(body)
    with caller.api.database.write() as session:
        open_bills = locked_open_bills(session, caller.account) if to_open_bills else []
        version, policy = change_policy(session, caller.account, changes, caller.api.clock.now())
        apply_to_open_bills(session, caller.account, open_bills, version, policy)
    caller.api.wake()
    return policy


@router.post("/policy/preview", responses=problem_responses(*BODY_ERRORS))
def preview_policy(caller: CurrentCaller, body: PolicyChange) -> PolicyPreview:
    """Which contracts would lose or gain access by this change, and when. Nothing is stored."""
    changes, to_open_bills = _valid_changes(body)
    now = caller.api.clock.now()
    with caller.api.database.read() as session:
        _, policy = current_policy(session, caller.account)
        found = preview(session, caller.account, with_changes(policy, changes), now) if to_open_bills else ()
        return PolicyPreview(
            policy=with_changes(policy, changes),
            changes=[PreviewedChange(contract_id=contract_id, **dict(difference)) for contract_id, difference in found],
        )


def _valid_changes(body: PolicyChange) -> tuple[dict[str, object], bool]:
    changes: dict[str, object] = {**body}
    to_open_bills = changes.pop("apply_to", "new_bills") == "open_bills"
    if errors := policy_errors(changes):
        raise invalid(*errors)
    return changes, to_open_bills
