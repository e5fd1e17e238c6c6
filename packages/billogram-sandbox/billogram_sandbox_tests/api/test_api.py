"""Credentials, envelope, errors, lists, and customers."""

import httpx
import pytest

from billogram_sandbox_tests.client import KEY, USER, Client, Json, data, ok, problem, row


async def test_missing_credentials_are_challenged_and_wrong_ones_forbidden(client: Client) -> None:
    missing = await client.http.get("/api/v2/customer")
    wrong = await client.http.get("/api/v2/customer", auth=("1234-abcdefgh", "guess"))

    assert problem(missing)[:2] == (401, "MISSING_AUTH")
    assert missing.headers["www-authenticate"].startswith('Basic realm="')
    assert problem(wrong)[:2] == (403, "INVALID_AUTH")


async def test_responses_are_json_without_charset(client: Client) -> None:
    responses = [
        await client.api("POST", "/customer", {"name": "Åsa"}),
        await client.api("GET", "/customer/999"),
        await client.api("GET", "/nonsense"),
        await client.api("GET", "/customer/1%0A"),
        await client.api("DELETE", "/customer/1"),
    ]

    assert [response.headers["content-type"] for response in responses] == ["application/json"] * 5
    assert "\\u00c5sa" in responses[0].text
    assert [problem(response)[:2] for response in responses[1:]] == [
        (404, "NOT_FOUND"),
        (404, "NOT_FOUND"),
        (404, "NOT_FOUND"),
        (405, "METHOD_NOT_ALLOWED"),
    ]


async def test_customer_numbers_are_unique_and_optional(client: Client) -> None:
    first, chosen, third = (
        await client.customer(),
        await client.customer(customer_no=41),
        await client.customer(),
    )
    again = await client.api("POST", "/customer", {"name": "Lisa", "customer_no": 41})

    assert [each["customer_no"] for each in (first, chosen, third)] == [1, 41, 42]
    assert again.json() == {
        "status": "INVALID_PARAMETER",
        "data": {
            "message": "Customer with same customer_no already exists",
            "field": "customer_no",
            "field_path": None,
        },
    }


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, (400, "INVALID_PARAMETER", "name", None)),
        ({"name": ""}, (400, "INVALID_PARAMETER", "name", None)),
        ({"name": 7}, (400, "INVALID_PARAMETER", "name", None)),
        ({"name": "A", "customer_no": None}, (400, "INVALID_PARAMETER", "customer_no", None)),
        ({"name": "A", "customer_no": True}, (400, "INVALID_PARAMETER", "customer_no", None)),
        ({"name": "A", "contact": {"email": "a@b"}}, (400, "INVALID_PARAMETER", "email", ["contact"])),
        ({"name": "A", "shoe_size": 41}, (400, "UNKNOWN_PARAMETER", "shoe_size", [])),
        ({"name": "A", "contact": {"fax": "1"}}, (400, "UNKNOWN_PARAMETER", "fax", ["contact"])),
        ({"name": "A", "created_at": "2026-01-01"}, (400, "READ_ONLY_PARAMETER", "created_at", None)),
        ([], (400, "INVALID_PARAMETER", None, None)),
    ],
)
async def test_invalid_customer_is_refused_with_the_field(
    client: Client, body: object, refusal: tuple[object, ...]
) -> None:
    assert problem(await client.api("POST", "/customer", body)) == refusal


async def test_customer_is_changed_in_part_and_accepts_its_own_response(client: Client) -> None:
    customer = await client.customer()
    changed = data(await client.api("PUT", "/customer/1", {"contact": {"phone": "0700000000"}, "address": None}))
    same = data(await client.api("PUT", "/customer/1", changed))

    assert customer["updated_at"] is None
    assert changed["contact"]["email"] == "lisa@example.com"
    assert changed["contact"]["phone"] == "0700000000"
    assert changed["address"]["zipcode"] == "11122"
    assert same == changed | {"updated_at": same["updated_at"]}


async def test_lists_are_paged_with_a_total(client: Client) -> None:
    for _ in range(5):
        await client.customer()
    part = ok(await client.api("GET", "/customer", page=2, page_size=2))
    beyond = ok(await client.api("GET", "/customer", page=9, page_size=2))

    assert part["meta"] == {"total_count": 5}
    assert [each["customer_no"] for each in part["data"]] == [3, 4]
    assert beyond["data"] == []


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ({"page_size": "101"}, "INVALID_QUERY_PARAMETER"),
        ({"page": "0"}, "INVALID_QUERY_PARAMETER"),
        ({"filter_type": "field", "filter_field": "name"}, "MISSING_QUERY_PARAMETER"),
        ({"filter_type": "field", "filter_field": "info:order_no", "filter_value": "1"}, "INVALID_QUERY_PARAMETER"),
        ({"filter_type": "guess", "filter_field": "state", "filter_value": "Paid"}, "INVALID_QUERY_PARAMETER"),
        ({"order_field": "'; DROP"}, "INVALID_QUERY_PARAMETER"),
        ({"order_field": "state", "order_direction": "up"}, "INVALID_QUERY_PARAMETER"),
    ],
)
async def test_invalid_query_is_refused(client: Client, query: dict[str, str], refusal: str) -> None:
    assert problem(await client.api("GET", "/billogram", **query))[:2] == (400, refusal)


async def test_billograms_are_found_by_each_filter_type(client: Client) -> None:
    first = await client.sent(creditor_unique_value="a_1:0:r0")
    second = await client.draft(creditor_unique_value="ab1:0:r0", items=[row(price=10)])

    async def found(kind: str, field: str, value: str) -> list[str]:
        query = {"filter_type": kind, "filter_field": field, "filter_value": value, "page_size": "10"}
        return [each["id"] for each in ok(await client.api("GET", "/billogram", **query))["data"]]

    assert await found("field", "creditor_unique_value", "a_1:0:r0") == [first["id"]]
    assert await found("field-prefix", "creditor_unique_value", "a_1") == [first["id"]]
    assert await found("field-search", "creditor_unique_value", "1:0") == [first["id"], second["id"]]
    assert await found("field", "state", "Unpaid,Paid") == [first["id"]]
    assert await found("field", "customer:customer_no", "2") == [second["id"]]
    assert await found("special", "search", "provperson") == [first["id"], second["id"]]
    assert await found("field", "invoice_no", "none") == []


async def test_billogram_list_is_compact_ordered_and_summed(client: Client) -> None:
    for price in (10, 20.5):
        await client.sent(items=[row(price=price, vat=0)], currency="EUR")
    query: dict[str, str] = {"order_field": "invoice_no", "order_direction": "desc"}
    answer = ok(await client.api("GET", "/billogram", **query))

    assert answer["meta"] == {"total_count": 2, "total_remaining_sum": "30.50"}
    assert [each["invoice_no"] for each in answer["data"]] == [2, 1]
    assert "items" not in answer["data"][0]
    assert set(answer["data"][0]["customer"]) == {"customer_no", "name", "org_no", "email"}


async def test_events_of_a_billogram_are_paged(client: Client) -> None:
    billogram = await client.sent()
    query: dict[str, str | int] = {"filter_type": "field", "filter_field": "billogram_id"}
    query |= {"filter_value": billogram["id"], "page_size": 1, "order_direction": "desc"}
    answer = ok(await client.api("GET", "/billogram_event", **query))

    assert answer["meta"] == {"total_count": 2}
    assert answer["data"] == [billogram["events"][1]]
    assert problem(await client.api("GET", "/billogram_event"))[1] == "MISSING_QUERY_PARAMETER"


async def test_pages_contain_each_billogram_once(client: Client) -> None:
    ids = [(await client.sent(due_days=days))["id"] for days in (3, 1, 2, 1, 3)]

    async def paged(**query: str) -> list[str]:
        pages = [ok(await client.api("GET", "/billogram", page=page, page_size=2, **query)) for page in (1, 2, 3, 4)]
        assert [page["meta"]["total_count"] for page in pages] == [5] * 4
        return [each["id"] for page in pages for each in page["data"]]

    assert await paged() == ids
    assert await paged(order_direction="desc") == ids[::-1]
    assert await paged(order_field="due_date") == [ids[n] for n in (1, 3, 2, 0, 4)]
    assert await paged(order_field="due_date", order_direction="desc") == [ids[n] for n in (0, 4, 2, 1, 3)]
    assert sorted(await paged(order_field="attested_at")) == sorted(ids)


async def test_billograms_are_filtered_by_month_and_customer(client: Client) -> None:
    await client.control("POST", "/clock", {"set": "2030-03-21T12:00:00Z"})
    march = await client.sent(due_days=5)
    april = await client.sent(due_days=30)
    filters: list[tuple[str, str, str, list[Json]]] = [
        ("field-prefix", "due_date", "2030-03", [march]),
        ("field", "due_date", "2030-04-20", [april]),
        ("field", "invoice_date", "2030-03-21", [march, april]),
        ("field", "ocr_number", april["ocr_number"], [april]),
        ("field", "id", march["id"], [march]),
        ("field", "customer:customer_no", "2", [april]),
    ]

    async def ids_of(kind: str, field: str, value: str) -> list[str]:
        listed = await client.api("GET", "/billogram", filter_type=kind, filter_field=field, filter_value=value)
        return [each["id"] for each in ok(listed)["data"]]

    found = [await ids_of(*each) for *each, _ in filters]

    assert found == [[each["id"] for each in expected] for *_, expected in filters]


async def test_list_shows_state_sums_and_update_time_of_each_change(client: Client) -> None:
    """Lists have no filter for changes since a time."""
    billogram = await client.sent(due_days=1)

    async def seen() -> tuple[str, str, object]:
        (listed,) = ok(await client.api("GET", "/billogram"))["data"]
        return listed["updated_at"], listed["state"], listed["remaining_sum"]

    moments = [await seen()]
    for action, body in [
        ("delivery", {"outcome": "delivered"}),
        ("pay", {"amount": "49"}),
        ("recall", {}),
        ("pay", {}),
    ]:
        await client.advance("1h")
        await client.control("POST", f"/billograms/{billogram['id']}/{action}", body)
        moments.append(await seen())
    changed = await client.api("GET", "/billogram", order_field="updated_at")
    since = {"filter_type": "field", "filter_field": "updated_at", "filter_value": moments[0][0]}

    assert moments == sorted(moments)
    assert len({updated for updated, _, _ in moments}) == 5
    assert [(state, remaining) for _, state, remaining in moments] == [
        ("Unpaid", 149), ("Unpaid", 149), ("PartlyPaid", 100), ("Unpaid", 149), ("Paid", 0),
    ]  # fmt: skip
    assert problem(changed)[:2] == problem(await client.api("GET", "/billogram", **since))[:2]
    assert problem(changed)[:2] == (400, "INVALID_QUERY_PARAMETER")


async def test_event_list_has_more_events_than_the_billogram(client: Client) -> None:
    billogram = await client.sent()
    for _ in range(104):
        await client.pay(billogram["id"], amount="1")
    query: dict[str, str | int] = {"filter_type": "field", "filter_field": "billogram_id"}
    query |= {"filter_value": billogram["id"], "order_field": "created_at", "page_size": 50}
    pages = [ok(await client.api("GET", "/billogram_event", page=page, **query)) for page in (1, 2, 3, 4)]
    listed = [event for page in pages for event in page["data"]]

    assert [page["meta"]["total_count"] for page in pages] == [106] * 4
    assert [len(page["data"]) for page in pages] == [50, 50, 6, 0]
    assert [event["type"] for event in listed[:3]] == ["BillogramCreated", "BillogramSent", "Payment"]
    assert len({event["event_uuid"] for event in listed}) == 106
    assert (await client.get(billogram["id"]))["events"] == listed[6:]


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ({"filter_field": "type", "filter_value": "Payment"}, (400, "INVALID_QUERY_PARAMETER")),
        ({"filter_type": "field-prefix"}, (400, "INVALID_QUERY_PARAMETER")),
        ({"filter_value": "nobody"}, (404, "NOT_FOUND")),
        ({"order_field": "type"}, (400, "INVALID_QUERY_PARAMETER")),
        ({"order_direction": "up"}, (400, "INVALID_QUERY_PARAMETER")),
        ({"page_size": "101"}, (400, "INVALID_QUERY_PARAMETER")),
    ],
)
async def test_events_are_listed_of_one_billogram_by_time(
    client: Client, query: dict[str, str], refusal: tuple[int, str]
) -> None:
    billogram = await client.sent()
    usual = {"filter_type": "field", "filter_field": "billogram_id", "filter_value": billogram["id"]}

    assert problem(await client.api("GET", "/billogram_event", **(usual | query)))[:2] == refusal


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(b'{"name": ' + b"1" * 5_000 + b"}", id="too long a number"),
        pytest.param(b'{"name": 1e' + b"9" * 30 + b"}", id="too large a number"),
        pytest.param(b'{"name": "\xff"}', id="no UTF-8"),
        pytest.param(b'{"name": "Lisa", "notes": "\\ud800"}', id="half a sign"),
        pytest.param(b'{"name": "Lisa", "\\ud800": 1}', id="half a sign in a key"),
    ],
)
async def test_malformed_json_is_refused(client: Client, body: bytes) -> None:
    """Regressions: a 500, or a sender of callbacks that stopped."""
    response = await client.http.post("/api/v2/customer", content=body, auth=(USER, KEY))

    assert problem(response) == (400, "INVALID_PARAMETER", None, None)


async def test_non_ascii_credentials_are_wrong(client: Client) -> None:
    response = await client.http.get("/api/v2/customer", headers={b"Authorization": b"Basic \xc3\xa5"})

    assert problem(response)[:2] == (403, "INVALID_AUTH")


async def test_wrong_method_is_answered_with_the_allowed_ones(client: Client) -> None:
    response = await client.api("PUT", "/billogram_event", {})

    assert problem(response)[:2] == (405, "METHOD_NOT_ALLOWED")
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_control_plane_answers_this_machine_only(client: Client) -> None:
    transport = httpx.ASGITransport(client.app, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as remote:
        assert (await remote.get("/sandbox/clock")).status_code == 403
