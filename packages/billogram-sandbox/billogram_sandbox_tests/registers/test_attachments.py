"""The attachment of a billogram: by command and by fields."""

import pytest

from billogram_sandbox.core import content
from billogram_sandbox_tests.client import PDF, Client, Json, base64_of, data, problem

FILE: Json = {"attachment": "villkor.pdf", "attachment_content": base64_of(PDF)}
OTHER = PDF + b"other"


async def attached(client: Client, billogram: Json) -> Json:
    return data(await client.api("GET", f"/billogram/{billogram['id']}/attachment.pdf"))


async def test_pdf_is_attached_by_command_after_sending(client: Client) -> None:
    sent = await client.sent()
    wanted = {"filename": "villkor.pdf", "content": base64_of(PDF)}
    after = data(await client.command(sent["id"], "attach", wanted))

    assert (sent["attachment"], after["attachment"]) == (None, "villkor.pdf")
    assert after["events"] == sent["events"]
    assert await attached(client, sent) == wanted | {"file_type": "application/pdf"}


async def test_attachment_is_created_replaced_renamed_and_removed(client: Client) -> None:
    draft = await client.draft(**FILE)
    path = f"/billogram/{draft['id']}"
    first = await attached(client, draft)
    await client.api("PUT", path, {"attachment_content": base64_of(OTHER)})
    replaced = await attached(client, draft)
    renamed = data(await client.api("PUT", path, {"attachment": "b.pdf"}))
    unchanged = data(await client.api("PUT", path, {"info": {"message": "Hej"}}))
    removed = data(await client.api("PUT", path, {"attachment": None}))
    missing = await client.api("GET", f"{path}/attachment.pdf")

    assert "attachment_content" not in draft
    assert (first["content"], replaced["content"]) == (base64_of(PDF), base64_of(OTHER))
    assert draft["attachment"] == "villkor.pdf"
    assert renamed["attachment"] == unchanged["attachment"] == "b.pdf"
    assert removed["attachment"] is None
    assert problem(missing)[:2] == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"attachment": "a.pdf"}, ("INVALID_PARAMETER_COMBINATION", "attachment_content")),
        ({"attachment_content": base64_of(PDF)}, ("INVALID_PARAMETER_COMBINATION", "attachment")),
        ({"attachment": "a.pdf", "attachment_content": base64_of(b"GIF89a")}, ("INVALID_PARAMETER", None)),
        ({"attachment": "a.pdf", "attachment_content": "%PDF-"}, ("INVALID_PARAMETER", None)),
    ],
)
async def test_invalid_attachment_creates_no_billogram(
    client: Client, body: Json, refusal: tuple[str, str | None]
) -> None:
    refused = await client.try_draft(**body)

    assert problem(refused)[1:3] == refusal
    assert (await client.api("GET", "/billogram")).json()["meta"]["total_count"] == 0


async def test_pdf_above_the_size_limit_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "SIZE_MAX", len(PDF))
    sent = await client.sent(**FILE)
    larger = await client.command(sent["id"], "attach", {"filename": "a.pdf", "content": base64_of(OTHER)})

    assert problem(larger)[:2] == (400, "INVALID_PARAMETER")
    assert (await attached(client, sent))["content"] == base64_of(PDF)


async def test_deleted_draft_deletes_its_attachment(client: Client) -> None:
    draft = await client.draft(**FILE)
    await client.api("DELETE", f"/billogram/{draft['id']}")

    assert (await client.api("GET", f"/billogram/{draft['id']}/attachment.pdf")).status_code == 404
