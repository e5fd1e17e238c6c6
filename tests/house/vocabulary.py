"""Words that this code base does not use, because a term of the field says the same."""

import io
import re
import tokenize
from collections.abc import Iterator

from tests.house.source_tree import Module

DIALECT = re.compile(r"(?<![A-Za-z])(tell|tells|told|telling)(?![A-Za-z])", re.IGNORECASE)
DIALECT_MAX = 20
"""In the whole repository, each in its English sense."""
MAY_QUOTE = {"CHANGELOG.md", "tests/house/vocabulary.py", "tests/house/shape.py", "tests/test_house.py"}
REFUSED_IDENTIFIERS = {
    "BillRecord": "BillSnapshot",
    "Errand": "PlatformTask",
    "HeldPeriods": "SkippedPeriods",
    "Ledger": "BillBatch",
    "Recording": "CallbackRecorder",
    "Standing": "ContractSnapshot",
    "Telling": "OutboxMessage",
    "TellingTemporal": "TemporalDispatcher",
    "Together": "GroupCommit",
    "doings": "log_context",
    "give_back": "release",
    "glimpse": "preview",
    "imprint": "fingerprint",
    "patience": "backoff_seconds",
    "put_off": "defer",
    "record_facts": "append_facts",
    "write_as_one": "submit_batched",
}
"""And what to write instead."""
REFUSED_MODULES = {"utils", "common", "helpers", "manager", "service", "models", "base"}


def dialect(text: Module) -> Iterator[str]:
    if text.path in MAY_QUOTE:
        return
    for number, line in enumerate(text.text.splitlines(), 1):
        yield from (f"{text.path}:{number}: {match[0]}" for match in DIALECT.finditer(line))


def refused_identifiers(module: Module) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type == tokenize.NAME and token.string in REFUSED_IDENTIFIERS:
            yield f"{module.path}:{token.start[0]}: {token.string}; write {REFUSED_IDENTIFIERS[token.string]}"


def refused_module_names(module: Module) -> Iterator[str]:
    refused = REFUSED_MODULES & set(module.dotted.split("."))
    yield from (f"{module.path}: {name} says nothing" for name in sorted(refused))
