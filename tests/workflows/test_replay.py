"""Replays recorded histories with the current code. A change that breaks one of them would break running contracts.

The diaries record them: `pytest tests/diaries --record-histories`.
"""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.opentelemetry import OpenTelemetryPlugin, create_tracer_provider
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from workflows.contract import ContractWorkflow
from workflows.messages import workflow_id

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))
KINDS = {
    "cancelled", "cancelled_now", "credited", "draft_deleted", "draft_sent", "ended_unpaid", "fixed_term", "held",
    "kept_access", "late_then_paid", "lost", "lost_then_paid", "paid_months", "parked_retried", "platform_down",
    "read_failed_at_cutoff", "recalled", "revoked", "sold_ahead", "waived", "withdrawn_revoked",
}  # fmt: skip


def test_every_kind_of_history_is_recorded_also_one_continued_as_new() -> None:
    assert {file.name.partition(".")[0] for file in HISTORIES} == KINDS
    assert any(file.name.endswith(".1.json") for file in HISTORIES)


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
@pytest.mark.parametrize("traced", [False, True], ids=["untraced", "traced"])
async def test_a_recorded_history_replays(file: Path, traced: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracing is a setting of the process and must not change a workflow's commands."""
    # A private name, because OpenTelemetry lets a process set its provider only once.
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", create_tracer_provider() if traced else None)
    plugins = [OpenTelemetryPlugin(add_temporal_spans=True)] if traced else []
    replayer = Replayer(workflows=[ContractWorkflow], data_converter=pydantic_data_converter, plugins=plugins)
    history = WorkflowHistory.from_json(workflow_id("demo", file.stem), file.read_text())

    await replayer.replay_workflow(history)
