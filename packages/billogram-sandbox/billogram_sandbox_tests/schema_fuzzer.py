"""Fuzzes a running server with schemathesis, from its OpenAPI document alone."""

import asyncio
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

COMMAND = Path(sys.executable).parent / "st"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


class KnownValues(NamedTuple):
    """Existing values, which a fuzzer would not guess, for a parameter such as path.id or body.contract_id."""

    values: Sequence[str | int]
    share: float = 0.7


async def fuzz(
    folder: Path,
    url: str,
    known: Mapping[str, KnownValues],
    *options: str,
    examples: int,
    checks: Sequence[str] = CHECKS,
    chance_only: Sequence[str] = (),
) -> int:
    """Returns the number of tested operations. Deterministic; fails with the report if a response does not conform.

    Operations in `chance_only` skip the coverage phase."""
    config = folder / "schemathesis.toml"
    config.write_text("\n".join(_config(known, chance_only)))
    process = await asyncio.create_subprocess_exec(
        *(COMMAND, "--config-file", config, "run", f"{url}/openapi.json", "--no-color", "--generation-deterministic"),
        *("--max-examples", str(examples), "--checks", ",".join(checks), "--warnings", "off", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
    )
    try:
        report, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, report.decode()
    tested = re.search(r"Tested: (\d+)", report.decode())
    assert tested, report.decode()
    return int(tested[1])


def _config(known: Mapping[str, KnownValues], chance_only: Sequence[str]) -> list[str]:
    """JSON's strings, numbers, and lists are TOML's too."""
    lines = []
    for number, values in enumerate(known.values()):
        lines += [f"[dictionaries.d{number}]", f"values = {json.dumps(values.values)}"]
    lines.append("[parameters]")
    for number, (name, values) in enumerate(known.items()):
        lines.append(f'"{name}" = {{ dictionary = "d{number}", probability = {values.share} }}')
    for name in chance_only:
        lines += ["[[operations]]", f'include-operation-id = "{name}"', "phases.coverage.enabled = false"]
    return lines
