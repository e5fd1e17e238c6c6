"""The worker in earnest. New code: a run stays with the code that it began with, and goes over to the current one when
the contract continues as new. Limits: no account's bills are made faster than its platform is to be asked."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.service import RPCError

from avtal.billogram.client import http_client
from avtal.config import Settings
from avtal.embedded.stack import TASK_QUEUE
from avtal.store.engine.cipher import Cipher
from avtal.temporal_admin.queue_settings import limit_bills
from tests.diaries.life import Life
from worker import DEPLOYMENT, workers
from workflows.contract import ContractWorkflow
from workflows.messages import workflow_id


@pytest.fixture(autouse=True)
def ended_after() -> None:
    """Contracts are left with versions that nobody runs any more, and can't be ended."""


@asynccontextmanager
async def code(life: Life, build_id: str) -> AsyncIterator[None]:
    """Workers of one version, beside whatever else runs."""
    settings = Settings(task_queue=TASK_QUEUE, build_id=build_id)
    stack = life.stack
    async with AsyncExitStack() as running:
        http = await running.enter_async_context(http_client())
        cipher = Cipher(stack.secrets.cipher_key)
        for worker in workers(stack.client, settings, stack.database, cipher, http):
            await running.enter_async_context(worker)
        yield


async def make_current(life: Life, build_id: str) -> None:
    """New runs begin with this version; a server that has not heard of it yet is asked again."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=life.stack.client.namespace, deployment_name=DEPLOYMENT, build_id=build_id
    )

    async def taken() -> bool:
        try:
            await life.stack.client.workflow_service.set_worker_deployment_current_version(request)
        except RPCError:
            return False
        return True

    await life.until(taken)


async def version_of(life: Life, contract_id: str) -> str:
    described = await life.stack.client.get_workflow_handle(workflow_id("demo", contract_id)).describe()
    return described.raw_description.workflow_execution_info.versioning_info.deployment_version.build_id


@pytest.mark.parametrize("life", ["sqlite"], indirect=True)
async def test_an_accounts_bills_are_made_no_faster_than_its_limit(life: Life) -> None:
    await limit_bills(life.stack.client, TASK_QUEUE, 2.0)
    began = time.monotonic()
    for number in range(8):
        await life.sell(f"limited-{number}")
    took = time.monotonic() - began
    await limit_bills(life.stack.client, TASK_QUEUE, None)

    assert took > 2.5


@pytest.mark.parametrize("life", ["sqlite"], indirect=True)
async def test_a_poked_contract_goes_over_to_the_current_code_and_keeps_all_it_knows(life: Life) -> None:
    await life.stack.parts["worker"].stop()
    async with code(life, "one"):
        await make_current(life, "one")
        await life.sell("version-kept")
        await life.sell("version-poked")
        bill = await life.bill("version-poked", 0)

        assert await version_of(life, "version-poked") == "one"

        async with code(life, "two"):
            await make_current(life, "two")
            await life.until(lambda: is_poked_to(life, "version-poked", "two"))

            assert await version_of(life, "version-kept") == "one"
            assert len(await life.histories("version-poked")) == 2
            await life.until(lambda: begins_on(life, "two"))
            await life.until(lambda: is_listed(life, "version-kept", "one"))

            await life.pay(bill)
            await life.forward("31d")

            assert [one["status"] for one in await life.bills("version-poked")] == ["paid", "open"]
            assert [one["status"] for one in await life.bills("version-kept")] == ["open", "open"]


async def is_poked_to(life: Life, contract_id: str, build_id: str) -> bool:
    """The server needs a moment to tell its queues of a new version; a poke before that changes nothing."""
    await life.stack.client.get_workflow_handle(workflow_id("demo", contract_id)).signal(ContractWorkflow.poke)
    return await version_of(life, contract_id) == build_id


async def begins_on(life: Life, build_id: str) -> bool:
    """Whether a contract that is sold now does; the same moment as above."""
    await life.sell(contract_id := f"version-new-{time.monotonic_ns()}")
    return await version_of(life, contract_id) == build_id


async def is_listed(life: Life, contract_id: str, build_id: str) -> bool:
    """Whether an operator finds the contract among those that run on a version."""
    runs = life.stack.client.list_workflows(f"TemporalWorkerDeploymentVersion = '{DEPLOYMENT}:{build_id}'")
    return workflow_id("demo", contract_id) in {run.id async for run in runs}
