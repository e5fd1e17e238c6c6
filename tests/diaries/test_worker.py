"""Worker versions and rate limits. A run stays on its worker version until the contract continues as new. An account's
bills are created no faster than its limit."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.service import RPCError

from avtal.billogram.transport import http_client
from avtal.config import Settings
from avtal.embedded.stack import TASK_QUEUE
from avtal.store.engine.cipher import Cipher
from avtal.temporal_admin.queue_settings import limit_bills
from tests.diaries.diary import Diary
from worker import DEPLOYMENT, workers
from workflows.contract import ContractWorkflow
from workflows.messages import workflow_id


@pytest.fixture(autouse=True)
def end_contracts() -> None:
    """The contracts are left on versions that no worker runs any more, and cannot be ended."""


@asynccontextmanager
async def running_workers(diary: Diary, build_id: str) -> AsyncIterator[None]:
    """Workers of one version, beside any others."""
    settings = Settings(task_queue=TASK_QUEUE, build_id=build_id)
    stack = diary.stack
    async with AsyncExitStack() as running:
        http = await running.enter_async_context(http_client())
        cipher = Cipher(stack.secrets.cipher_key)
        for worker in workers(stack.client, settings, stack.database, cipher, http):
            await running.enter_async_context(worker)
        yield


async def make_current(diary: Diary, build_id: str) -> None:
    """New runs start on this version. The server refuses until the version's worker has polled."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=diary.stack.client.namespace, deployment_name=DEPLOYMENT, build_id=build_id
    )

    async def is_accepted() -> bool:
        try:
            await diary.stack.client.workflow_service.set_worker_deployment_current_version(request)
        except RPCError:
            return False
        return True

    await diary.wait_until(is_accepted)


async def version_of(diary: Diary, contract_id: str) -> str:
    described = await diary.stack.client.get_workflow_handle(workflow_id("demo", contract_id)).describe()
    return described.raw_description.workflow_execution_info.versioning_info.deployment_version.build_id


@pytest.mark.parametrize("diary", ["sqlite"], indirect=True)
async def test_an_accounts_bills_are_created_no_faster_than_its_limit(diary: Diary) -> None:
    await limit_bills(diary.stack.client, TASK_QUEUE, 2.0)
    started_at = time.monotonic()
    for number in range(8):
        await diary.sell(f"limited-{number}")
    took = time.monotonic() - started_at
    await limit_bills(diary.stack.client, TASK_QUEUE, None)

    assert took > 2.5


@pytest.mark.parametrize("diary", ["sqlite"], indirect=True)
async def test_a_poked_contract_upgrades_to_the_current_version(diary: Diary) -> None:
    await diary.stack.parts["worker"].stop()
    async with running_workers(diary, "one"):
        await make_current(diary, "one")
        await diary.sell("version-kept")
        await diary.sell("version-poked")
        bill = await diary.bill("version-poked", 0)

        assert await version_of(diary, "version-poked") == "one"

        async with running_workers(diary, "two"):
            await make_current(diary, "two")
            await diary.wait_until(lambda: is_poked_to(diary, "version-poked", "two"))

            assert await version_of(diary, "version-kept") == "one"
            assert len(await diary.histories("version-poked")) == 2
            await diary.wait_until(lambda: starts_on(diary, "two"))
            await diary.wait_until(lambda: is_listed(diary, "version-kept", "one"))

            await diary.pay(bill)
            await diary.forward("31d")

            assert [one["status"] for one in await diary.bills("version-poked")] == ["paid", "open"]
            assert [one["status"] for one in await diary.bills("version-kept")] == ["open", "open"]


async def is_poked_to(diary: Diary, contract_id: str, build_id: str) -> bool:
    """The server needs a moment to route to a new version; a poke before that changes nothing."""
    await diary.stack.client.get_workflow_handle(workflow_id("demo", contract_id)).signal(ContractWorkflow.poke)
    return await version_of(diary, contract_id) == build_id


async def starts_on(diary: Diary, build_id: str) -> bool:
    """Whether a contract sold now runs on this version."""
    await diary.sell(contract_id := f"version-new-{time.monotonic_ns()}")
    return await version_of(diary, contract_id) == build_id


async def is_listed(diary: Diary, contract_id: str, build_id: str) -> bool:
    """Whether Temporal's list shows the contract among those of this version."""
    runs = diary.stack.client.list_workflows(f"TemporalWorkerDeploymentVersion = '{DEPLOYMENT}:{build_id}'")
    return workflow_id("demo", contract_id) in {run.id async for run in runs}
