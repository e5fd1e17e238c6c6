"""schemathesis against a running server: a stranger who knows nothing of it but its OpenAPI description."""

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


class Known(NamedTuple):
    """Values that there are, which no stranger would guess, for a parameter such as path.id or body.contract_id."""

    values: Sequence[str | int]
    share: float = 0.7


async def asks(
    folder: Path,
    url: str,
    known: Mapping[str, Known],
    *options: str,
    examples: int,
    checks: Sequence[str] = CHECKS,
    chance_only: Sequence[str] = (),
) -> int:
    """How many operations were asked, with the same questions in each run; fails with the report if an answer was not
    as described. Of the operations that `chance_only` names, not every combination is asked."""
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


def _config(known: Mapping[str, Known], chance_only: Sequence[str]) -> list[str]:
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
