"""The docs name what there is, and nothing that is not there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from avtal.cli.accounts import commands as account
from avtal.cli.app import app
from avtal.config import Settings
from avtal.contracts.bills.bill import FactType, ParkedReason
from avtal.contracts.events.events import EventType

ROOT = Path(__file__).parent.parent
README, LIMITS = (ROOT / name for name in ("README.md", "docs/limits.md"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
CODE = re.compile(r"```sh\n(.*?)```|`([^`\n]+)`", re.DOTALL)


def test_the_map_names_every_folder_and_module() -> None:
    text = README.read_text()
    map_ = text[text.index("## The map") : text.index("## The main path")]

    assert [place for place in places() if f"]({place})" not in map_] == []


def test_every_setting_is_described() -> None:
    assert missing(f"`AVTAL_{name.upper()}`" for name in Settings.model_fields) == []


def test_every_command_is_shown() -> None:
    assert missing(f"avtal {name}" for name in commands() if name != "account") == []
    assert missing(f"`{name}`" for name in account_commands() if f"avtal account {name}" not in words()) == []


def test_only_commands_that_there_are_are_shown() -> None:
    shown = {match[1] for code in code_of(PAGES) for match in re.finditer(r"(?:^|\n)avtal ([a-z][a-z-]*)", code)}

    assert shown - {*commands()} == set()


def test_only_targets_of_make_that_there_are_are_shown() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = {match[1] for code in code_of(PAGES) for match in re.finditer(r"(?:^|\n)make ([a-z]+)", code)}

    assert shown - targets == set()


def test_every_kind_of_fact_and_reason_of_parking_is_in_the_glossary() -> None:
    assert missing(f"| `{word}` |" for word in (*FactType, *ParkedReason)) == []


def test_every_type_of_event_is_described() -> None:
    described = (ROOT / "docs" / "events.md").read_text()

    assert [word for word in EventType if f"| `{word}` |" not in described] == []


def test_tests_that_the_docs_name_exist() -> None:
    tests = "\n".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    named = {match[1] for page in PAGES for match in re.finditer(r"`(test_\w+)`", page.read_text())}

    assert named
    assert [name for name in sorted(named) if f"def {name}(" not in tests] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [link for link in LINK.findall(page.read_text()) if not leads_somewhere(page, link)] == []


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(file.name[:4]) for file in sorted((ROOT / "docs" / "decisions").glob("*.md"))]

    assert numbers == [*range(1, len(numbers) + 1)]


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) < 150


def test_what_is_not_there_is_noticed() -> None:
    assert missing(["`AVTAL_NOTHING`"]) == ["`AVTAL_NOTHING`"]
    assert not leads_somewhere(README, "docs/nothing.md")
    assert not leads_somewhere(README, "docs/limits.md#no-such-heading")
    assert leads_somewhere(README, "docs/architecture.md#settings")


def places() -> Iterator[str]:
    for path in sorted(ROOT.iterdir()):
        is_folder = path.is_dir() and not path.name.startswith((".", "__")) and any(path.rglob("*.py"))
        if is_folder or path.suffix == ".py":
            yield path.name


def commands() -> list[str]:
    return [str(command.name) for command in app.registered_commands]


def account_commands() -> list[str]:
    own = account.app.registered_commands
    return [str(command.name or getattr(command.callback, "__name__", None)) for command in own]


def words() -> str:
    return "\n".join(page.read_text() for page in PAGES if page.name != "CHANGELOG.md")


def missing(wanted: Iterator[str] | list[str]) -> list[str]:
    text = words()
    return [word for word in wanted if not re.search(re.escape(word) + r"(?![a-z-])", text)]


def code_of(pages: list[Path]) -> Iterator[str]:
    for page in pages:
        for block, inline in CODE.findall(page.read_text()):
            yield block or inline


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, heading = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not heading or heading in headings(target))


def headings(page: Path) -> set[str]:
    """As GitHub names them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
