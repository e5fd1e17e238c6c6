"""The environment (`AVTAL_…`, and `.env`) as one frozen settings object. Only entry points read it.

The connection to Temporal is not here: the SDK reads its own names (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, …).
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from avtal.contracts.start_slots import PER_SECOND
from avtal.store.engine.cipher import Cipher, new_cipher_key

WEB_PARTS = ("api", "callbacks", "portal")
"""What a web process may serve, alone or together."""


LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="AVTAL_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Path(".avtal")
    """Where the embedded stack keeps everything."""
    database_url: str | None = None
    """SQLAlchemy's form. Without it, the embedded stack's own file in the data directory."""
    secret_key: str | None = None
    """A Fernet key: seals platform credentials and callback keys in the store."""
    url: str | None = None
    """The web process that the command talks to; without it, the embedded stack's."""
    api_key: str | None = None
    web_host: str = "127.0.0.1"
    web_port: int = 8270
    worker_host: str = "127.0.0.1"
    worker_port: int = 8271
    """Of the worker's health and figures."""
    sandbox_port: int = 8280
    task_queue: str = "avtal"
    build_id: str | None = None
    """Names this code to Temporal. A contract then stays with the code that it began its run with, and goes over to
    the current one when it continues as new; without it, new code takes over at once."""
    worker_contracts_cached_max: Annotated[int, Field(ge=1)] = 5_000
    worker_contract_tasks_max: Annotated[int, Field(ge=2)] = 100
    worker_bills_max: Annotated[int, Field(ge=1)] = 32
    """Bills that one worker makes at the same time."""
    worker_pollers_max: Annotated[int, Field(ge=2)] = 20
    renewals_per_second: Annotated[float, Field(gt=0)] = PER_SECOND
    """Of each account: those that are due in the same hour begin in turns."""
    bills_per_second_max: Annotated[float, Field(gt=0)] | None = None
    """For each account, over all workers; kept by Temporal's server."""
    log_format: Literal["text", "json"] = "text"
    log_level: LogLevel = "info"
    reconcile_hours: Annotated[float, Field(ge=0)] = 6.0
    """How often the web compares each account with Billogram by itself; 0 never does."""
    private_endpoints: bool = False
    """Only the embedded stack sets it: publishers may be told by http and at private addresses."""
    test_clock: bool = False
    """Only the embedded stack sets it: time comes from the store's clock, which can be moved forward."""

    @property
    def store_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'avtal.db'}"


def cipher_of(settings: Settings) -> Cipher:
    """Raises ValueError that says what to do."""
    if settings.secret_key is None:
        raise ValueError(f"AVTAL_SECRET_KEY is not set; a new one for a new store: {new_cipher_key()}")
    return Cipher(settings.secret_key)
