"""Logs, metrics, and traces of web and worker over a contract's life, without personal data."""

import asyncio
import base64
import json
import logging
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from avtal.embedded.ports import any_ports
from avtal.embedded.stack import running_stack, supervise
from avtal.telemetry import LOG_FIELDS, configure_logging
from tests.collector import Collector, running_collector
from tests.diaries.diary import Diary, sale
from tests.processes import environment, migrated_store, readiness_errors, running_process

SUBSCRIBER = {
    "name": "Ottilia Quistberg",
    "email": "ottilia@quistberg.example",
    "phone": "+46709998877",
    "address": {"street": "Vattugatan 77", "zipcode": "98765", "city": "Kvikkjokk"},
}
PERSONAL = ("ottilia", "quistberg", "9998877", "vattugatan", "98765", "kvikkjokk")
REFUSED_ROW = "null value in a column\nDETAIL:  Failing row contains (Ottilia).\n\n[SQL: INSERT]"

Line = dict[str, Any]  # Any: a JSON log line


class Telemetry(NamedTuple):
    diary: Diary
    collector: Collector

    def lines(self, process: str) -> list[Line]:
        return [json.loads(line) for line in self.text(process).splitlines()]

    def text(self, process: str) -> str:
        return (self.diary.stack.data_dir / "logs" / f"{process}.log").read_text()

    def line(self, process: str, start: str) -> Line:
        """The first line whose message starts with `start`."""
        return next(line for line in self.lines(process) if line["message"].startswith(start))

    async def histories(self) -> str:
        return "".join([run.to_json() for run in await self.diary.histories("observed")])

    async def trace_with(self, name: str) -> dict[str, str]:
        """The trace of the contract `observed`, once it has this span."""

        async def has_span() -> bool:
            return any(span.name == name for _, span in self.collector.spans())

        await self.diary.wait_until(has_span)
        return self.collector.trace_of("avtal.contract_id", "observed")


@pytest.fixture(scope="module")
async def telemetry(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Telemetry]:
    """One paid contract, one parked, one whose bill fails at Billogram, and one refused request."""
    with running_collector() as collector, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVTAL_LOG_FORMAT", "json")
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        async with running_stack(tmp_path_factory.mktemp("stack"), any_ports(), headless=True) as stack:
            supervision = asyncio.create_task(supervise(stack))
            diary = Diary(stack, record=False)
            await run_contracts(diary)
            yield Telemetry(diary, collector)
            await diary.close()
            supervision.cancel()
            await asyncio.gather(supervision, return_exceptions=True)


async def run_contracts(diary: Diary) -> None:
    await diary.sell("observed", subscriber={**SUBSCRIBER, "subscriber_id": "s-observed"})
    await diary.pay(await diary.bill("observed", 0))
    await diary.sell("refused", subscriber={**SUBSCRIBER, "subscriber_id": "s-refused", "org_no": "Quistberg AB"})
    async with diary.faults({"api": {"status_503": 1.0}}):
        late = sale("late", subscriber={**SUBSCRIBER, "subscriber_id": "s-late"})
        assert (await diary.api.post("/v1/contracts", json=late)).status_code == 201
        await diary.wait_until(lambda: has_metric(diary.stack.addresses.worker, 'avtal_bills_total{outcome="failed"'))
    await diary.api.post("/v1/contracts", json=sale("wrong", subscriber=SUBSCRIBER))
    await diary.api.get(f"/v1/contracts/{SUBSCRIBER['email']}?name={SUBSCRIBER['name']}")
    baggage = {"baggage": f"subscriber={SUBSCRIBER['email']}"}
    cancelled = await diary.api.post("/v1/contracts/observed/cancel", json={"at": "period_end"}, headers=baggage)
    assert cancelled.status_code == 200


async def has_metric(base: str, metric: str) -> bool:
    return metric in await asyncio.to_thread(metrics, base)


def metrics(base: str) -> str:
    return httpx.get(f"{base}/metrics").text


async def test_every_log_line_is_json_with_known_fields(telemetry: Telemetry) -> None:
    for process in ("web", "worker"):
        fields = {field for line in telemetry.lines(process) for field in line}

        assert {"timestamp", "level", "logger", "message"} <= fields <= {*LOG_FIELDS}


async def test_log_lines_name_their_contract_and_bill(telemetry: Telemetry) -> None:
    contract = {"account": "demo", "contract_id": "observed"}
    bill = {**contract, "bill_id": "observed:0:r0"}

    assert telemetry.line("web", "contract observed sold").items() >= contract.items()
    assert telemetry.line("web", "contract observed started").items() >= contract.items()
    assert telemetry.line("worker", "bill observed:0:r0 made: open").items() >= bill.items()
    assert telemetry.line("web", "callback 1 recorded: bill observed:0:r0").items() >= bill.items()
    assert telemetry.line("worker", "bill refused:0:r0 parked: refused")["level"] == "WARNING"
    assert telemetry.line("worker", "bill late:0:r0 failed")["bill_id"] == "late:0:r0"


async def test_logs_spans_and_histories_hold_no_personal_data(telemetry: Telemetry) -> None:
    await telemetry.trace_with("record callback")
    lines = telemetry.text("web") + telemetry.text("worker")
    spans = b"".join(telemetry.collector.bodies).decode(errors="replace")
    payloads = [base64.b64decode(found) for found in re.findall(r'"data": "([^"]*)"', await telemetry.histories())]
    everything = (lines + spans + b"".join(payloads).decode()).lower()

    assert "observed" in lines
    assert "observed" in spans
    assert b"traceparent" in b"".join(payloads)
    assert [word for word in PERSONAL if word in everything] == []


async def test_metrics_page_includes_temporals_sdk(telemetry: Telemetry) -> None:
    web, worker = (
        metrics(base) for base in (telemetry.diary.stack.addresses.web, telemetry.diary.stack.addresses.worker)
    )

    assert 'avtal_callbacks_received_total{outcome="stored"}' in web
    assert 'avtal_relay_due_rows{queue="outbox"} 0.0' in web
    assert "temporal_request_total{" in web
    assert 'avtal_bills_total{outcome="parked",reason="refused"} 1.0' in worker
    assert 'avtal_bills_total{outcome="failed",reason="OutcomeUnknown"}' in worker
    assert 'avtal_billogram_request_seconds_count{outcome="ok",verb="POST"}' in worker
    assert "temporal_activity_execution_latency_seconds_count{" in worker


async def test_one_trace_spans_sale_to_settlement(telemetry: Telemetry) -> None:
    await telemetry.trace_with("HandleSignal:bill_changed")
    trace = await telemetry.trace_with("record callback")
    wanted = {
        "POST /v1/contracts": "avtal-web",
        "dispatch to Temporal": "avtal-web",
        "StartWorkflow:Contract": "avtal-web",
        "StartActivity:make_bill": "avtal-worker",
        "RunActivity:make_bill": "avtal-worker",
        "Billogram POST /billogram": "avtal-worker",
        "callback received": "avtal-web",
        "record callback": "avtal-web",
        "SignalWorkflow:bill_changed": "avtal-web",
        "HandleSignal:bill_changed": "avtal-worker",
    }

    assert trace.items() >= wanted.items()


async def test_missing_namespace_makes_temporal_not_ready(telemetry: Telemetry, tmp_path: Path) -> None:
    migrated_store(tmp_path)
    nowhere = environment(tmp_path, telemetry.diary.stack.addresses.temporal, TEMPORAL_NAMESPACE="nowhere")

    def errors_once_relay_is_ready() -> dict[str, str]:
        with running_process("web", nowhere) as (_, base):
            while "relay" in (errors := readiness_errors(base)):
                time.sleep(0.02)
            return errors

    errors = await asyncio.to_thread(errors_once_relay_is_ready)

    assert errors == {"temporal": "has no such namespace; create it, or set TEMPORAL_NAMESPACE"}


async def test_web_and_worker_are_not_ready_while_temporal_hangs(telemetry: Telemetry) -> None:
    stack = telemetry.diary.stack
    pid = stack.parts["temporal"].pid
    assert pid is not None
    bases = stack.addresses.web, stack.addresses.worker
    before = [await asyncio.to_thread(readiness_errors, base) for base in bases]
    os.kill(pid, signal.SIGSTOP)
    try:
        during = [await asyncio.to_thread(readiness_errors, base) for base in bases]
    finally:
        os.kill(pid, signal.SIGCONT)

    assert before == [{}, {}]
    assert during == [{"temporal": "does not respond (TimeoutError)"}] * 2


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Restores pytest's own logging after the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.mark.usefixtures("restored_logging")
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_refused_row_is_left_out_of_the_log(
    log_format: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.excepthook", None)
    configure_logging(log_format, "INFO")
    try:
        raise ValueError(REFUSED_ROW)
    except ValueError:
        logging.getLogger("store").exception("it went wrong", extra={"subscriber": "Ottilia"})
    line = capsys.readouterr().err

    assert "it went wrong" in line
    assert "[SQL: INSERT]" in line
    assert "Ottilia" not in line
