"""docker-compose.yml and the image: no secret has a default, only this machine can connect."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from avtal.config import Settings

ROOT = Path(__file__).parent.parent.parent
COMPOSE = (ROOT / "docker-compose.yml").read_text()
EXAMPLE = (ROOT / "deploy" / "env.example").read_text()
VARIABLE = re.compile(r"\$\{(\w+)(:[?-])?([^}]*)\}")
TOOL = """#!/bin/sh
echo "$SQL_HOST $SQL_USER $*" >> "$CALLS"
"""


def test_the_example_lists_exactly_the_variables_of_compose() -> None:
    described = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE))

    assert described == {name for name, _, _ in VARIABLE.findall(COMPOSE)}


def test_secrets_have_no_default_and_no_example() -> None:
    kinds = {name: kind for name, kind, _ in VARIABLE.findall(COMPOSE)}
    secrets = {name for name in kinds if name.endswith(("_PASSWORD", "_KEY"))}

    assert secrets
    assert {kinds[name] for name in secrets} == {":?"}
    assert [name for name in secrets if not re.search(rf"^{name}=$", EXAMPLE, re.MULTILINE)] == []


def test_ports_are_published_only_on_this_machine() -> None:
    published = re.findall(r'^ +- "(.+):\d+"$', COMPOSE, re.MULTILINE)

    assert len(published) == COMPOSE.count("ports:") == 2
    assert [port for port in published if ":-127.0.0.1:" not in port] == []


def test_every_foreign_image_has_a_version() -> None:
    images = re.findall(r"^ +image: ([^$\n]+)$", COMPOSE, re.MULTILINE)

    assert len(images) == 4
    assert [image for image in images if not re.search(r":\d+(\.\d+)*$", image)] == []


def test_compose_uses_only_existing_settings() -> None:
    given = set(re.findall(r"^ +AVTAL_(\w+):", COMPOSE, re.MULTILINE)) - {"DB_PASSWORD"}

    assert given
    assert given - {name.upper() for name in Settings.model_fields} == set()


@pytest.mark.parametrize("name", ["DB_PASSWORD", "SECRET_KEY"])
def test_the_image_contains_no_secret(name: str) -> None:
    ignored = (ROOT / ".dockerignore").read_text()

    assert ignored.splitlines()[1] == "*"
    assert "!.env" not in ignored
    assert name not in (ROOT / "Dockerfile").read_text()


def test_everything_packaged_enters_the_image() -> None:
    taken = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    packaged = re.search(r"only-include = \[(.+?)\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL)

    assert packaged is not None
    assert set(re.findall(r'"(.+?)"', packaged[1])) <= taken


def test_temporals_schema_is_set_up_and_then_updated_in_both_databases(tmp_path: Path) -> None:
    """A recorder stands in for the tool, which is in Temporal's image."""
    tool, calls = tmp_path / "temporal-sql-tool", tmp_path / "calls"
    tool.write_text(TOOL)
    tool.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(calls)}
    login = {"SQL_HOST": "postgres", "SQL_USER": "temporal"}
    subprocess.run([ROOT / "deploy" / "temporal-schema.sh"], env=environment | login, check=True, timeout=10)
    update = "update-schema -d /etc/temporal/schema/postgresql/v12"

    assert calls.read_text().splitlines() == [
        "postgres temporal --plugin postgres12 --db temporal setup-schema -v 0.0",
        f"postgres temporal --plugin postgres12 --db temporal {update}/temporal/versioned",
        "postgres temporal --plugin postgres12 --db temporal_visibility setup-schema -v 0.0",
        f"postgres temporal --plugin postgres12 --db temporal_visibility {update}/visibility/versioned",
    ]
