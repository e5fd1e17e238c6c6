"""All routes of the JSON API, below `/v1` and behind the API key."""

from fastapi import APIRouter, Depends

from avtal.api.authentication import Api, require_api_key
from avtal.api.problems.problems import problem_responses
from avtal.api.routes import bills, contracts, endpoint, events, policy, subscribers


def api_router(api: Api) -> APIRouter:
    router = APIRouter(
        prefix="/v1", dependencies=[Depends(require_api_key(api))], responses=problem_responses(401, 422, 503)
    )
    for routes in (contracts, bills, subscribers, policy, endpoint, events):
        router.include_router(routes.router)
    return router
