"""The embedded stack: Temporal, sandbox, web, and worker as one process tree, with one clock, on one data directory.

Everything that matters is in the directory. Stopped or killed, and started again on the same one, it goes on where it
was; the sandbox's callback configuration and the account's address of the platform follow the ports of the day.
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
from avtal.embedded.secrets_file import keep_secrets, secrets_of
from avtal.embedded.timekeeper import Timekeeper
from avtal.store.accounts.accounts import (
    FIRST_CUSTOMER_NO,
    PlatformAccess,
    create_account,
    new_api_key,
    platform_access,
    set_platform,
)
from avtal.store.accounts.operators import is_operator, put_operator
from avtal.store.engine.cipher import Cipher
from avtal.store.engine.clock import TestClock
from avtal.store.engine.migrate import migrate
from avtal.store.opening import open_store

ACCOUNT = "demo"
OPERATOR = "demo"
TASK_QUEUE = "avtal"
COMES_UP_WITHIN_SECONDS = 60.0

Answer = TypeVar("Answer")


class AlreadyRunning(RuntimeError):
    """Another stack holds the data directory."""


class Stack:
    """Made by `running_stack`."""

    def __init__(self, data_dir: Path, ports: Ports, *, headless: bool, store_url: str | None) -> None:
        self.data_dir = data_dir
        self.ports = ports
        self.headless = headless
        self.database = open_store(store_url or f"sqlite:///{data_dir / 'avtal.db'}", test_clock=True)
        self.clock = TestClock(self.database)
        self.secrets = secrets_of(data_dir)
        self.parts = {name: self._part(name, command) for name, command in self._commands().items()}

    @property
    def addresses(self) -> Addresses:
        ports = self.ports
        assert self.secrets.api_key is not None, "the account is made before the addresses are told"
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

    async def start(self) -> None:
        """Raises PartFailed."""
        first = asyncio.gather(self.parts["temporal"].start(), self.parts["sandbox"].start())
        await asyncio.to_thread(self._prepare_store)
        await first
        await self.parts["web"].start()
        self.client = await self._connect()
        await self.parts["worker"].start()
        async with httpx.AsyncClient() as http:
            await self._until("sandbox", lambda: self._configure_sandbox(http))
            await self._until("web", lambda: self._check_web(http))
        await self._until("worker", self._check_worker)
        for part in self.parts.values():
            part.check_running()
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
        platform = PlatformAccess(
            url=f"http://{HOST}:{self.ports.sandbox}/api/v2",
            user=self.secrets.billogram_user,
            key=self.secrets.billogram_key,
            callback_keys=(self.secrets.callback_key,),
        )
        with self.database.write() as session:
            if platform_access(session, cipher, ACCOUNT) is None:
                policy = Policy(mode=Mode.AUTOMATIC)
                create_account(session, cipher, ACCOUNT, platform, policy, datetime.now(UTC), FIRST_CUSTOMER_NO)
            set_platform(session, cipher, ACCOUNT, platform)
            if not is_operator(session, OPERATOR):
                put_operator(session, ACCOUNT, OPERATOR, self.secrets.operator_password, datetime.now(UTC))
            if self.secrets.api_key is None:
                key = new_api_key(session, ACCOUNT, datetime.now(UTC))
                self.secrets = keep_secrets(self.data_dir, self.secrets.model_copy(update={"api_key": key}))

    async def _connect(self) -> Client:
        async def connected() -> Client:
            return await Client.connect(
                f"{HOST}:{self.ports.temporal}", namespace=NAMESPACE, data_converter=pydantic_data_converter
            )

        return await self._until("temporal", connected)

    async def _configure_sandbox(self, http: httpx.AsyncClient) -> None:
        """Its credentials are asked first: what answers might be another stack that took the port meanwhile."""
        sandbox = f"http://{HOST}:{self.ports.sandbox}"
        credentials = (self.secrets.billogram_user, self.secrets.billogram_key)
        (await http.get(f"{sandbox}/api/v2/customer?page=1&page_size=1", auth=credentials)).raise_for_status()
        callback_url = f"http://{HOST}:{self.ports.web}/callbacks/billogram/{ACCOUNT}"
        account = {"callback_url": callback_url, "sign_key": self.secrets.callback_key}
        (await http.put(f"{sandbox}/sandbox/account", json=account)).raise_for_status()

    async def _check_web(self, http: httpx.AsyncClient) -> None:
        """Our key is known to our own store alone, for the same reason."""
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
            raise ConnectionError("no worker polls yet")

    async def _until(self, part: str, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        """Tries until it goes well. Raises PartFailed if the part has ended, TimeoutError if it is silent."""
        deadline = time.monotonic() + COMES_UP_WITHIN_SECONDS
        while True:
            try:
                return await attempt()
            except (OSError, RuntimeError, httpx.HTTPError) as error:
                self.parts[part].check_running()
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{part} does not answer: {error}") from error
                await asyncio.sleep(0.05)


@asynccontextmanager
async def running_stack(
    data_dir: Path, ports: Ports, *, headless: bool = False, store_url: str | None = None
) -> AsyncIterator[Stack]:
    """Everything answers within; nothing is left after. Without a `store_url` the store is a file in the directory.

    Raises AlreadyRunning, PartFailed.
    """
    data_dir = data_dir.resolve()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data_dir / "lock").open("w") as lock:
        hold(lock, data_dir)
        stack = Stack(data_dir, ports, headless=headless, store_url=store_url)
        try:
            await stack.start()
            yield stack
        finally:
            await stack.stop()


async def attend(stack: Stack) -> None:
    """Keeps a started stack going: its parts up, and its clock where it was told to go. Runs until cancelled."""
    keeper = Timekeeper(stack.client, stack.database, stack.clock, stack.addresses.sandbox)
    async with asyncio.TaskGroup() as group:
        for part in stack.parts.values():
            group.create_task(part.keep_up())
        group.create_task(keeper.run())


def hold(lock: IO[str], data_dir: Path) -> None:
    """The lock goes with the process that holds it, however that ends. Raises AlreadyRunning."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise AlreadyRunning(f"a stack already runs on {data_dir}; stop it first, or give another --data") from error
