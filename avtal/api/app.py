"""The API as one router; the composition root of the web builds what it works with, and mounts it."""

from fastapi import APIRouter, Depends

from avtal.api.authentication import Api, key_check
from avtal.api.problems.handlers import install_problems
from avtal.api.problems.problems import declared
from avtal.api.routes import bills, contracts, endpoint, events, policy, subscribers

__all__ = ["Api", "api_router", "install_problems"]


def api_router(api: Api) -> APIRouter:
    router = APIRouter(prefix="/v1", dependencies=[Depends(key_check(api))], responses=declared(401, 422, 503))
    for part in (contracts, bills, subscribers, policy, endpoint, events):
        router.include_router(part.router)
    return router
