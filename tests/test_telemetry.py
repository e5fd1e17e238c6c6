"""What web and worker tell of a contract's life, from outside: lines, figures, spans, and nothing about the reader."""

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
from avtal.embedded.stack import attend, running_stack
from avtal.telemetry import LOGGED, log_as
from tests.collector import Collector, collecting
from tests.diaries.life import Life, sale
from tests.processes import environment, migrated, running, troubles

READER = {
    "name": "Ottilia Quistberg",
    "email": "ottilia@quistberg.example",
    "phone": "+46709998877",
    "address": {"street": "Vattugatan 77", "zipcode": "98765", "city": "Kvikkjokk"},
}
PERSONAL = ("ottilia", "quistberg", "9998877", "vattugatan", "98765", "kvikkjokk")
REFUSED_ROW = "null value in a column\nDETAIL:  Failing row contains (Ottilia).\n\n[SQL: INSERT]"

Line = dict[str, Any]  # as it was logged


class Told(NamedTuple):
    life: Life
    collector: Collector

    def lines(self, process: str) -> list[Line]:
        return [json.loads(line) for line in self.text(process).splitlines()]

    def text(self, process: str) -> str:
        return (self.life.stack.data_dir / "logs" / f"{process}.log").read_text()

    def of(self, process: str, start: str) -> Line:
        """The first line whose message starts so."""
        return next(line for line in self.lines(process) if line["message"].startswith(start))

    async def histories(self) -> str:
        return "".join([run.to_json() for run in await self.life.histories("observed")])

    async def spans_until(self, name: str) -> dict[str, str]:
        async def is_there() -> bool:
            return any(span.name == name for _, span in self.collector.spans())

        await self.life.until(is_there)
        return self.collector.trace_of("avtal.contract_id", "observed")


@pytest.fixture(scope="module")
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    """A contract that is sold and paid, one that is parked, one that the platform fails, and a refused request."""
    with collecting() as collector, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVTAL_LOG_FORMAT", "json")
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        async with running_stack(tmp_path_factory.mktemp("stack"), any_ports(), headless=True) as stack:
            attending = asyncio.create_task(attend(stack))
            life = Life(stack, record=False)
            await live(life)
            yield Told(life, collector)
            await life.close()
            attending.cancel()
            await asyncio.gather(attending, return_exceptions=True)


async def live(life: Life) -> None:
    await life.sell("observed", subscriber={**READER, "subscriber_id": "s-observed"})
    await life.pay(await life.bill("observed", 0))
    await life.sell("refused", subscriber={**READER, "subscriber_id": "s-refused", "org_no": "Quistberg AB"})
    async with life.faults({"api": {"status_503": 1.0}}):
        late = sale("late", subscriber={**READER, "subscriber_id": "s-late"})
        assert (await life.api.post("/v1/contracts", json=late)).status_code == 201
        await life.until(lambda: has_figure(life.stack.addresses.worker, 'avtal_bills_total{outcome="failed"'))
    await life.api.post("/v1/contracts", json=sale("wrong", subscriber=READER))
    await life.api.get(f"/v1/contracts/{READER['email']}?name={READER['name']}")
    baggage = {"baggage": f"reader={READER['email']}"}
    cancelled = await life.api.post("/v1/contracts/observed/cancel", json={"at": "period_end"}, headers=baggage)
    assert cancelled.status_code == 200


async def has_figure(base: str, figure: str) -> bool:
    return figure in await asyncio.to_thread(figures, base)


def figures(base: str) -> str:
    return httpx.get(f"{base}/metrics").text


async def test_every_line_is_json_with_the_fields_that_we_name(told: Told) -> None:
    for process in ("web", "worker"):
        assert [line for line in told.lines(process) if not {*line} <= {*LOGGED}] == []


async def test_lines_name_the_contract_and_the_bill_that_they_concern(told: Told) -> None:
    contract = {"account": "demo", "contract_id": "observed"}
    bill = {**contract, "bill_id": "observed:0:r0"}

    assert told.of("web", "contract observed sold").items() >= contract.items()
    assert told.of("web", "contract observed started").items() >= contract.items()
    assert told.of("worker", "bill observed:0:r0 made: open").items() >= bill.items()
    assert told.of("web", "callback 1 recorded: bill observed:0:r0").items() >= bill.items()
    assert told.of("worker", "bill refused:0:r0 parked: refused")["level"] == "WARNING"
    assert told.of("worker", "bill late:0:r0 failed")["bill_id"] == "late:0:r0"


async def test_no_line_no_span_and_no_history_names_the_reader(told: Told) -> None:
    await told.spans_until("record callback")
    lines = told.text("web") + told.text("worker")
    spans = b"".join(told.collector.bodies).decode(errors="replace")
    payloads = [base64.b64decode(found) for found in re.findall(r'"data": "([^"]*)"', await told.histories())]
    everything = (lines + spans + b"".join(payloads).decode()).lower()

    assert b"traceparent" in b"".join(payloads)
    assert [word for word in PERSONAL if word in everything] == []


async def test_figures_of_ours_and_of_the_sdk_stand_on_one_page(told: Told) -> None:
    web, worker = (figures(base) for base in (told.life.stack.addresses.web, told.life.stack.addresses.worker))

    assert 'avtal_callbacks_received_total{outcome="stored"}' in web
    assert 'avtal_relay_due_rows{box="outbox"} 0.0' in web
    assert "temporal_request_total{" in web
    assert 'avtal_bills_total{outcome="parked",reason="refused"} 1.0' in worker
    assert 'avtal_bills_total{outcome="failed",reason="OutcomeUnknown"}' in worker
    assert 'avtal_billogram_request_seconds_count{outcome="ok",verb="POST"}' in worker
    assert "temporal_activity_execution_latency_seconds_count{" in worker


async def test_one_trace_leads_from_the_sale_to_the_settlement(told: Told) -> None:
    await told.spans_until("HandleSignal:bill_changed")
    trace = await told.spans_until("record callback")
    wanted = {
        "POST /v1/contracts": "avtal-web",
        "tell Temporal": "avtal-web",
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


async def test_a_namespace_that_does_not_exist_is_a_trouble_of_temporal(told: Told, tmp_path: Path) -> None:
    migrated(tmp_path)
    nowhere = environment(tmp_path, told.life.stack.addresses.temporal, TEMPORAL_NAMESPACE="nowhere")

    def asked() -> dict[str, str]:
        with running("web", nowhere) as (_, base):
            while "relay" in (found := troubles(base)):
                time.sleep(0.02)
            return found

    found = await asyncio.to_thread(asked)

    assert found == {"temporal": "has no such namespace; make it, or set TEMPORAL_NAMESPACE"}


async def test_a_worker_and_a_web_whose_temporal_hangs_say_so(told: Told) -> None:
    stack = told.life.stack
    pid = stack.parts["temporal"].pid
    assert pid is not None
    bases = stack.addresses.web, stack.addresses.worker
    before = [await asyncio.to_thread(troubles, base) for base in bases]
    os.kill(pid, signal.SIGSTOP)
    try:
        during = [await asyncio.to_thread(troubles, base) for base in bases]
    finally:
        os.kill(pid, signal.SIGCONT)

    assert before == [{}, {}]
    assert during == [{"temporal": "does not answer (TimeoutError)"}] * 2


@pytest.fixture
def logging_again() -> Iterator[None]:
    """As pytest has set it up."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.mark.usefixtures("logging_again")
@pytest.mark.parametrize("form", ["text", "json"])
def test_what_a_database_says_of_the_row_that_it_refuses_is_left_out(
    form: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.excepthook", None)
    log_as(form, "INFO")
    try:
        raise ValueError(REFUSED_ROW)
    except ValueError:
        logging.getLogger("store").exception("it went wrong", extra={"reader": "Ottilia"})
    line = capsys.readouterr().err

    assert "it went wrong" in line
    assert "[SQL: INSERT]" in line
    assert "Ottilia" not in line
