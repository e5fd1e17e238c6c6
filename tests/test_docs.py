"""The docs name what exists, and nothing else."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from avtal.cli.accounts import commands as account
from avtal.cli.app import app
from avtal.config import Settings
from avtal.contracts.bills.bill import FactType, ParkedReason
from avtal.contracts.events.events import EventType
from tests.house import shape
from tests.house.source_tree import ROOT, SANDBOX, modules, texts

README, GLOSSARY, RULES, EDGE_CASES, EVENTS = (
    ROOT / name for name in ("README.md", "docs/glossary.md", "docs/rules.md", "docs/edge-cases.md", "docs/events.md")
)
README_LINES_MAX = 150
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / SANDBOX).glob("*.md"),
                *(ROOT / SANDBOX / "docs").rglob("*.md")])  # fmt: skip
TEST_FOLDERS = (ROOT / "tests", ROOT / SANDBOX / "billogram_sandbox_tests")
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
CODE = re.compile(r"```sh\n(.*?)```|`([^`\n]+)`", re.DOTALL)
RULE_ID = re.compile(r"\b[A-Z]{3,4}-\d+\b")
DEFINED_RULE = re.compile(r"^\| ([A-Z]{3,4}-\d+) ", re.MULTILINE)
NO_RULE_IDS = re.compile(r"UTF-\d+|SHA-\d+|PDF-\d+")
IDENTIFIER = re.compile(r"[A-Z][a-z]+[A-Z]\w*|[a-z]+(?:_[a-z]+)+")


# The README.


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) < README_LINES_MAX


def test_the_map_names_every_folder_and_module() -> None:
    wanted = {*root_places(), *(f"avtal/{path.parent.name}" for path in (ROOT / "avtal").glob("*/__init__.py"))}

    assert {"avtal", "worker.py", "avtal/store"} <= wanted
    assert wanted - set(section_links("The map")) == set()


def test_the_map_lists_a_place_above_all_that_it_imports() -> None:
    row: dict[str, int] = {}
    for number, line in enumerate(section("The map").splitlines()):
        row |= {link.removesuffix(".py").replace("/", "."): number for link in LINK.findall(line)}
    imports = [(one, other) for one, other in shape.floor_imports(list(modules())) if {one, other} <= row.keys()]

    assert imports
    assert [(one, other) for one, other in imports if row[one] > row[other]] == []


def test_the_main_path_links_each_step_to_a_file() -> None:
    steps = re.findall(r"^\d+\. (.+?)(?=^\d+\. |\Z)", section("The main path"), re.MULTILINE | re.DOTALL)

    assert len(steps) >= 8
    assert {step for step in steps if not LINK.search(step)} == set()
    assert {link for link in section_links("The main path") if not (ROOT / link.partition("#")[0]).is_file()} == set()


def test_the_main_path_reaches_the_line_that_posts_an_invoice() -> None:
    links = section_links("The main path")

    assert {"workflows/contract.py", "activities/billing.py", "avtal/billogram/client.py"} <= set(links)
    assert links.index("workflows/contract.py") < links.index("activities/billing.py")


# Settings, commands, facts, events.


def test_every_setting_is_described() -> None:
    assert missing(f"`AVTAL_{name.upper()}`" for name in Settings.model_fields) == []


def test_every_command_is_shown() -> None:
    assert missing(f"avtal {name}" for name in commands() if name != "account") == []
    assert missing(f"avtal account {name}" for name in account_commands()) == []


def test_only_existing_commands_are_shown() -> None:
    shown = {match[1] for code in code_of(PAGES) for match in re.finditer(r"(?:^|\n)avtal ([a-z][a-z-]*)", code)}

    assert {"sell", "up"} <= shown
    assert shown - {*commands()} == set()


def test_only_existing_make_targets_are_shown() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = {match[1] for code in code_of(PAGES) for match in re.finditer(r"(?:^|\n)make ([a-z]+)", code)}

    assert {"demo", "test"} <= shown
    assert shown - targets == set()


def test_only_existing_benchmarks_are_shown() -> None:
    shown = set(re.findall(r"python -m (benchmarks\.\w+)", prose()))

    assert shown
    assert {name for name in shown if not (ROOT / f"{name.replace('.', '/')}.py").is_file()} == set()


def test_every_fact_type_and_parked_reason_is_in_the_glossary() -> None:
    glossary = GLOSSARY.read_text()

    assert [word for word in (*FactType, *ParkedReason) if f"| `{word}` |" not in glossary] == []


def test_every_event_type_is_described() -> None:
    events = EVENTS.read_text()

    assert [word for word in EventType if f"| `{word}` |" not in events] == []


# Names.


def test_every_glossary_term_that_names_code_exists() -> None:
    named = {word for word in re.findall(r"`([^`\n]+)`", our_glossary()) if IDENTIFIER.fullmatch(word)}
    source = "\n".join(module.text for module in modules() if module.floor not in shape.NOT_PRODUCT)

    assert len(named) > 20
    assert {word for word in named if not re.search(rf"\b{word}\b", source)} == set()


def test_every_rule_id_is_defined() -> None:
    defined = DEFINED_RULE.findall(RULES.read_text() + EDGE_CASES.read_text())
    used = {(match[0], text.path) for text in texts() for match in RULE_ID.finditer(text.text)}

    assert {rule for rule, _ in used} >= {"EDGE-1", "PER-1"}
    assert {(rule, path) for rule, path in used if rule not in defined and not NO_RULE_IDS.fullmatch(rule)} == set()
    assert len(defined) == len(set(defined))


def test_every_defined_rule_is_used() -> None:
    defined = set(DEFINED_RULE.findall(RULES.read_text()))
    used = {match[0] for text in texts() if text.path != "docs/rules.md" for match in RULE_ID.finditer(text.text)}

    assert "PER-1" in defined
    assert defined - used == set()


def test_tests_named_in_the_docs_exist() -> None:
    files = [file for folder in TEST_FOLDERS for file in folder.rglob("test_*.py")]
    tests = "\n".join(file.read_text() for file in files)
    named = {match[1] for page in PAGES for match in re.finditer(r"`(test_\w+)`", page.read_text())}

    assert named
    assert [name for name in sorted(named) if f"def {name}(" not in tests] == []


# Links.


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_or_heading(page: Path) -> None:
    assert {link for link in LINK.findall(page.read_text()) if not leads_somewhere(page, link)} == set()


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(file.name[:4]) for file in sorted((ROOT / "docs" / "decisions").glob("*.md"))]

    assert numbers
    assert numbers == [*range(1, len(numbers) + 1)]


def test_a_missing_word_or_link_is_noticed() -> None:
    assert missing(["`AVTAL_NOTHING`"]) == ["`AVTAL_NOTHING`"]
    assert not leads_somewhere(README, "docs/nothing.md")
    assert not leads_somewhere(README, "docs/limits.md#no-such-heading")
    assert leads_somewhere(README, "docs/architecture.md#settings")
    assert not NO_RULE_IDS.fullmatch("EDGE-1")


def root_places() -> Iterator[str]:
    for path in sorted(ROOT.iterdir()):
        is_folder = path.is_dir() and not path.name.startswith((".", "__")) and any(path.rglob("*.py"))
        if is_folder or path.suffix == ".py":
            yield path.name


def section(title: str) -> str:
    """Of the README."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"the README has no section {title}"
    return found[1]


def section_links(title: str) -> list[str]:
    return LINK.findall(section(title))


def our_glossary() -> str:
    """Without the sections on Billogram's and Temporal's words."""
    sections = re.split(r"^## ", GLOSSARY.read_text(), flags=re.MULTILINE)
    return "\n".join(each for each in sections if "Billogram" not in each.splitlines()[0])


def commands() -> list[str]:
    return [str(command.name) for command in app.registered_commands]


def account_commands() -> list[str]:
    own = account.app.registered_commands
    return [str(command.name or getattr(command.callback, "__name__", None)) for command in own]


def prose() -> str:
    return "\n".join(page.read_text() for page in PAGES if page.name != "CHANGELOG.md")


def missing(wanted: Iterable[str]) -> list[str]:
    text, words = prose(), list(wanted)
    assert words
    return [word for word in words if not re.search(re.escape(word) + r"(?![a-z-])", text)]


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
