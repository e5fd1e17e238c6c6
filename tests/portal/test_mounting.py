"""The parts of the web process, alone and together."""

from pathlib import Path

import httpx
import pytest

from avtal.config import WEB_PARTS, Settings
from avtal.store.engine.cipher import new_cipher_key
from avtal.store.engine.migrate import migrate
from avtal.telemetry import Telemetry
from avtal.web import create_app


@pytest.mark.parametrize(
    ("parts", "portal", "api"), [(WEB_PARTS, 200, 401), (("portal",), 200, 404), (("api",), 404, 401)]
)
async def test_web_serves_only_the_selected_parts(
    tmp_path: Path, parts: tuple[str, ...], portal: int, api: int
) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'avtal.db'}", secret_key=new_cipher_key())
    migrate(settings.store_url)
    app = create_app(settings, Telemetry(0, ()), parts)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://avtal") as http,
    ):
        statuses = [(await http.get(path)).status_code for path in ("/portal/login", "/v1/policy")]

    assert statuses == [portal, api]
