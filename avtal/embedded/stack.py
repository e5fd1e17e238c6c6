"""The embedded stack: Temporal, sandbox, web, and worker as one process tree, with one clock and one data directory.

All state is in the directory. A stack that was stopped or killed continues when it is started on the same directory.
Each start configures the sandbox's callbacks and the account's Billogram URL for the current ports.
"""

import asyncio
import fcntl
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TypeVar

import httpx
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from avtal.contracts.policy import Mode, Policy
from avtal.embedded.addresses import Addresses, addresses_file, write_addresses
from avtal.embedded.dev_server import NAMESPACE, dev_server_command
from avtal.embedded.ports import HOST, Ports
from avtal.embedded.processes import Part
from avtal.embedded.secrets_file import load_secrets, save_secrets
from avtal.embedded.timekeeper import Timekeeper
from avtal.store.accounts.accounts import (
    FIRST_CUSTOMER_NO,
    PlatformCredentials,
    create_account,
    new_api_key,
    platform_credentials,
    set_platform,
)
from avtal.store.accounts.operators import is_operator, put_operator
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.clock import TestClock
from avtal.store.engine.migrate import REFUSALS, migrate, schema_state
from avtal.store.opening import open_store

ACCOUNT = "demo"
OPERATOR = "demo"
TASK_QUEUE = "avtal"
STARTUP_TIMEOUT_SECONDS = 60.0
RETRY_SECONDS = 0.05

T = TypeVar("T")


class AlreadyRunning(RuntimeError):
    """Another stack has locked the data directory."""


class StoreRefused(RuntimeError):
    """The data directory has a schema that this release can't use."""


class Stack:
    """Created by `running_stack`."""

    def __init__(self, data_dir: Path, ports: Ports, *, headless: bool, store_url: str | None) -> None:
        self.data_dir = data_dir
        self.ports = ports
        self.headless = headless
        self.database = open_store(store_url or f"sqlite:///{data_dir / 'avtal.db'}", test_clock=True)
        self.clock = TestClock(self.database)
        self.secrets = load_secrets(data_dir)
        self.parts = {name: self._part(name, command) for name, command in self._commands().items()}

    @property
    def addresses(self) -> Addresses:
        ports = self.ports
        assert self.secrets.api_key is not None, "the account is created before the addresses are written"
        return Addresses(
            web=f"http://{HOST}:{ports.web}",
            worker=f"http://{HOST}:{ports.worker}",
            sandbox=f"http://{HOST}:{ports.sandbox}",
            temporal=f"{HOST}:{ports.temporal}",
            temporal_namespace=NAMESPACE,
            temporal_ui=None if self.headless else f"http://{HOST}:{ports.temporal_ui}",
            account=ACCOUNT,
            api_key=self.secrets.api_key,
            billogram_user=self.secrets.billogram_user,
            billogram_key=self.secrets.billogram_key,
            operator_user=OPERATOR,
            operator_password=self.secrets.operator_password,
            pid=os.getpid(),
        )

    def require_usable_store(self) -> None:
        """Raises StoreRefused, before any part has touched the directory."""
        state = schema_state(self.database)
        if state in REFUSALS:
            raise StoreRefused(f"{self.data_dir} can't be used: {REFUSALS[state]}")

    async def start(self) -> None:
        """Raises PartFailed, TimeoutError."""
        first = asyncio.gather(self.parts["temporal"].start(), self.parts["sandbox"].start())
        await asyncio.to_thread(self._prepare_store)
        await first
        await self.parts["web"].start()
        self.client = await self._connect()
        await self.parts["worker"].start()
        async with httpx.AsyncClient() as http:
            await self._retry("sandbox", lambda: self._configure_sandbox(http))
            await self._retry("web", lambda: self._check_web(http))
        await self._retry("worker", self._check_worker)
        for part in self.parts.values():
            part.require_running()
        write_addresses(self.data_dir, self.addresses)

    async def stop(self) -> None:
        addresses_file(self.data_dir).unlink(missing_ok=True)
        for name in ("worker", "web", "sandbox", "temporal"):
            await self.parts[name].stop()
        self.database.close()

    def _commands(self) -> dict[str, list[str]]:
        sandbox_file = str(self.data_dir / "billogram_sandbox.db")
        sandbox = ["--port", str(self.ports.sandbox), "--data", sandbox_file]
        return {
            "temporal": dev_server_command(self.data_dir, self.ports, headless=self.headless),
            "sandbox": [sys.executable, "-P", "-m", "billogram_sandbox", *sandbox],
            "web": [sys.executable, "-P", "-m", "avtal.web"],
            "worker": [sys.executable, "-P", "-m", "worker"],
        }

    def _part(self, name: str, command: list[str]) -> Part:
        logs = self.data_dir / "logs"
        logs.mkdir(exist_ok=True)
        return Part(name, command, logs / f"{name}.log", self._environment())

    def _environment(self) -> dict[str, str]:
        return {
            "AVTAL_DATA_DIR": str(self.data_dir),
            "AVTAL_DATABASE_URL": self.database.url,
            "AVTAL_SECRET_KEY": self.secrets.cipher_key,
            "AVTAL_TEST_CLOCK": "true",
            "AVTAL_RECONCILE_HOURS": os.environ.get("AVTAL_RECONCILE_HOURS", "0"),
            "AVTAL_PRIVATE_ENDPOINTS": "true",
            "AVTAL_WEB_HOST": HOST,
            "AVTAL_WEB_PORT": str(self.ports.web),
            "AVTAL_WORKER_HOST": HOST,
            "AVTAL_WORKER_PORT": str(self.ports.worker),
            "AVTAL_TASK_QUEUE": TASK_QUEUE,
            "BILLOGRAM_SANDBOX_USER": self.secrets.billogram_user,
            "BILLOGRAM_SANDBOX_KEY": self.secrets.billogram_key,
            "TEMPORAL_ADDRESS": f"{HOST}:{self.ports.temporal}",
            "TEMPORAL_NAMESPACE": NAMESPACE,
        }

    def _prepare_store(self) -> None:
        migrate(self.database.url)
        cipher = Cipher(self.secrets.cipher_key)
        platform = PlatformCredentials(
            url=f"http://{HOST}:{self.ports.sandbox}/api/v2",
            user=self.secrets.billogram_user,
            key=self.secrets.billogram_key,
            callback_keys=(self.secrets.callback_key,),
        )
        with self.database.write() as session:
            if platform_credentials(session, cipher, ACCOUNT) is None:
                policy = Policy(mode=Mode.AUTOMATIC)
                create_account(session, cipher, ACCOUNT, platform, policy, datetime.now(UTC), FIRST_CUSTOMER_NO)
            set_platform(session, cipher, ACCOUNT, platform)
            if not is_operator(session, OPERATOR):
                put_operator(session, ACCOUNT, OPERATOR, self.secrets.operator_password, datetime.now(UTC))
            if self.secrets.api_key is None:
                key = new_api_key(session, ACCOUNT, datetime.now(UTC))
                self.secrets = save_secrets(self.data_dir, self.secrets.model_copy(update={"api_key": key}))

    async def _connect(self) -> Client:
        async def connected() -> Client:
            return await Client.connect(
                f"{HOST}:{self.ports.temporal}", namespace=NAMESPACE, data_converter=pydantic_data_converter
            )

        return await self._retry("temporal", connected)

    async def _configure_sandbox(self, http: httpx.AsyncClient) -> None:
        """Verifies the credentials first: another stack may have taken the port."""
        sandbox = f"http://{HOST}:{self.ports.sandbox}"
        credentials = (self.secrets.billogram_user, self.secrets.billogram_key)
        (await http.get(f"{sandbox}/api/v2/customer?page=1&page_size=1", auth=credentials)).raise_for_status()
        callback_url = f"http://{HOST}:{self.ports.web}/callbacks/billogram/{ACCOUNT}"
        account = {"callback_url": callback_url, "sign_key": self.secrets.callback_key}
        (await http.put(f"{sandbox}/sandbox/account", json=account)).raise_for_status()

    async def _check_web(self, http: httpx.AsyncClient) -> None:
        """Verifies the API key too, for the same reason."""
        web = f"http://{HOST}:{self.ports.web}"
        (await http.get(f"{web}/readyz")).raise_for_status()
        key = {"Authorization": f"Bearer {self.secrets.api_key}"}
        (await http.get(f"{web}/v1/policy", headers=key)).raise_for_status()

    async def _check_worker(self) -> None:
        queue = await self.client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=NAMESPACE,
                task_queue=TaskQueue(name=TASK_QUEUE),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            )
        )
        if not queue.pollers:
            raise ConnectionError("no worker polls the task queue")

    async def _retry(self, part: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """Until the part responds. Raises PartFailed if it has ended, TimeoutError if it does not respond."""
        deadline = time.monotonic() + STARTUP_TIMEOUT_SECONDS
        while True:
            try:
                return await attempt()
            except (OSError, RuntimeError, httpx.HTTPError) as error:
                self.parts[part].require_running()
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{part} does not respond: {error}") from error
                await asyncio.sleep(RETRY_SECONDS)


@asynccontextmanager
async def running_stack(
    data_dir: Path, ports: Ports, *, headless: bool = False, store_url: str | None = None
) -> AsyncIterator[Stack]:
    """All parts respond inside the block and have ended after it. `store_url` defaults to a file in the directory.

    Raises AlreadyRunning, PartFailed, TimeoutError, and StoreRefused.
    """
    data_dir = data_dir.resolve()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data_dir / "lock").open("w") as lock:
        lock_data_dir(lock, data_dir)
        stack = Stack(data_dir, ports, headless=headless, store_url=store_url)
        try:
            await asyncio.to_thread(stack.require_usable_store)
            await stack.start()
            yield stack
        finally:
            await stack.stop()


async def supervise(stack: Stack) -> None:
    """Restarts parts that end, and runs the clock. Runs until cancelled."""
    timekeeper = Timekeeper(stack.client, stack.database, stack.clock, stack.addresses.sandbox)
    async with asyncio.TaskGroup() as group:
        for part in stack.parts.values():
            group.create_task(part.run_until_stopped())
        group.create_task(timekeeper.run())


def lock_data_dir(lock: IO[str], data_dir: Path) -> None:
    """The lock ends with the process. Raises AlreadyRunning."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise AlreadyRunning(f"a stack already runs on {data_dir}; stop it first, or give another --data") from error
