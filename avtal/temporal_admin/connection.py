"""Connects to Temporal, in the same way for every process."""

from collections.abc import Sequence

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.plugin import SimplePlugin

DEFAULT_ADDRESS = "localhost:7233"


async def connect(*, lazy: bool = False, plugins: Sequence[SimplePlugin] = ()) -> Client:
    """Uses the SDK's environment variables and profiles (TEMPORAL_ADDRESS, …). `lazy` connects with the first call."""
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", DEFAULT_ADDRESS)
    return await Client.connect(**config, data_converter=pydantic_data_converter, lazy=lazy, plugins=plugins)
