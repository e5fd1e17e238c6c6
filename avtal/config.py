"""Settings from the environment (`AVTAL_…`) and `.env`, as one frozen object. Only entry points read it.

The connection to Temporal is not here: its SDK reads `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, and so on.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from avtal.contracts.start_slots import RENEWALS_PER_SECOND
from avtal.store.engine.cipher import Cipher, new_cipher_key

WEB_PARTS = ("api", "callbacks", "portal")
"""The parts that a web process can serve, alone or together."""

LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="AVTAL_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Path(".avtal")
    """Holds all files of the embedded stack."""
    database_url: str | None = None
    """An SQLAlchemy URL. Default: the embedded stack's file in the data directory."""
    secret_key: str | None = None
    """A Fernet key: encrypts platform credentials and callback keys in the store."""
    url: str | None = None
    """The address of the web process that the command `avtal` calls. Default: the embedded stack's."""
    api_key: str | None = None
    web_host: str = "127.0.0.1"
    web_port: int = 8270
    worker_host: str = "127.0.0.1"
    worker_port: int = 8271
    """Serves the worker's health and metrics."""
    sandbox_port: int = 8280
    task_queue: str = "avtal"
    build_id: str | None = None
    """The version of this code in Temporal. A contract's run stays on the version that started it, and moves to the
    current one when it continues as new. Without a build id, new code takes over immediately."""
    worker_contracts_cached_max: Annotated[int, Field(ge=1)] = 5_000
    worker_contract_tasks_max: Annotated[int, Field(ge=2)] = 100
    worker_bills_max: Annotated[int, Field(ge=1)] = 32
    """Bills that one worker makes in parallel."""
    worker_pollers_max: Annotated[int, Field(ge=2)] = 20
    renewals_per_second: Annotated[float, Field(gt=0)] = RENEWALS_PER_SECOND
    """For each account: renewals due in the same hour start at this rate."""
    bills_per_second_max: Annotated[float, Field(gt=0)] | None = None
    """For each account, over all workers; enforced by Temporal's server."""
    log_format: Literal["text", "json"] = "text"
    log_level: LogLevel = "info"
    reconcile_hours: Annotated[float, Field(ge=0)] = 6.0
    """The interval at which the web process compares each account with Billogram; 0 turns it off."""
    private_endpoints: bool = False
    """Allows webhook endpoints over http and at private addresses. Only the embedded stack sets it."""
    test_clock: bool = False
    """Takes time from the store's clock, which can be moved forward. Only the embedded stack sets it."""

    @property
    def store_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'avtal.db'}"


def cipher_of(settings: Settings) -> Cipher:
    """Raises ValueError if there is no key."""
    if settings.secret_key is None:
        raise ValueError(f"AVTAL_SECRET_KEY is not set; a key for a new store: {new_cipher_key()}")
    return Cipher(settings.secret_key)
