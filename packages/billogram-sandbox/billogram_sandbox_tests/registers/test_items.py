"""Items, and rows that are filled from them."""

import pytest

from billogram_sandbox_tests.client import Client, Json, data, ok, problem

ITEM: Json = {"title": "Tidning", "price": 99.5, "vat": 6, "unit": "month"}


async def made(client: Client, **fields: object) -> Json:
    return data(await client.api("POST", "/item", ITEM | fields))


async def test_item_numbers_are_unique_and_optional(client: Client) -> None:
    first, chosen, third = await made(client), await made(client, item_no="2"), await made(client)
    named, numeric = await made(client, item_no="tidning-helår"), await made(client, item_no=77)
    again = await client.api("POST", "/item", ITEM | {"item_no": "2"})

    assert [each["item_no"] for each in (first, chosen, third, named, numeric)] == [
        "1",
        "2",
        "3",
        "tidning-helår",
        "77",
    ]
    assert again.json() == {
        "status": "INVALID_PARAMETER",
        "data": {"message": "Item with same item_no already exists", "field": "item_no", "field_path": None},
    }


async def test_item_has_the_documented_keys_and_defaults(client: Client) -> None:
    item = await made(client)

    assert item == ITEM | {
        "item_no": "1",
        "description": "",
        "bookkeeping": {"income_account": "", "vat_account": ""},
        "zero_vat_reason": None,
        "created_at": item["created_at"],
        "updated_at": None,
    }


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"title": ""}, (400, "INVALID_PARAMETER", "title", None)),
        ({"title": "x" * 101}, (400, "INVALID_PARAMETER", "title", None)),
        ({"description": "x" * 201}, (400, "INVALID_PARAMETER", "description", None)),
        ({"price": None}, (400, "INVALID_PARAMETER", "price", None)),
        ({"vat": 100.5}, (400, "INVALID_PARAMETER", "vat", None)),
        ({"unit": "bushel"}, (400, "INVALID_PARAMETER", "unit", None)),
        ({"item_no": None}, (400, "INVALID_PARAMETER", "item_no", None)),
        ({"item_no": "1000000000"}, (400, "INVALID_PARAMETER", "item_no", None)),
        ({"item_no": "x" * 31}, (400, "INVALID_PARAMETER", "item_no", None)),
        ({"created_at": "2026-01-01"}, (400, "READ_ONLY_PARAMETER", "created_at", None)),
        ({"item_id": 6}, (400, "UNKNOWN_PARAMETER", "item_id", [])),
    ],
)
async def test_invalid_item_is_refused_with_the_field(
    client: Client, fields: Json, refusal: tuple[object, ...]
) -> None:
    assert problem(await client.api("POST", "/item", ITEM | fields)) == refusal


async def test_item_is_changed_and_renumbered(client: Client) -> None:
    await made(client)
    await made(client, item_no="taken")
    change = {"item_no": "helår", "price": "-5", "bookkeeping": {"vat_account": "2631"}}
    changed = data(await client.api("PUT", "/item/1", change))
    same = data(await client.api("PUT", "/item/helår", changed))
    clash = await client.api("PUT", "/item/helår", {"item_no": "taken"})

    assert (changed["title"], changed["price"], changed["bookkeeping"]["income_account"]) == ("Tidning", -5, "")
    assert same == changed | {"updated_at": same["updated_at"]}
    assert changed["updated_at"] is not None
    assert problem(clash) == (400, "INVALID_PARAMETER", "item_no", None)
    assert problem(await client.api("GET", "/item/1"))[:2] == (404, "NOT_FOUND")


async def test_deleted_item_keeps_its_rows(client: Client) -> None:
    await made(client)
    draft = await client.draft(items=[{"item_no": "1", "count": 2}])
    deleted = await client.api("DELETE", "/item/1")
    again = await client.api("DELETE", "/item/1")

    assert ok(deleted) == {"status": "OK", "data": {}}
    assert again.json()["data"] == {"message": "object not found with id=1"}
    assert (await client.get(draft["id"]))["items"][0]["title"] == "Tidning"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"filter_type": "field", "filter_field": "price", "filter_value": "99.5"}, ["a", "c"]),
        ({"filter_type": "field", "filter_field": "price", "filter_value": "10.00"}, ["b"]),
        ({"filter_type": "field", "filter_field": "item_no", "filter_value": "b"}, ["b"]),
        ({"filter_type": "field-prefix", "filter_field": "title", "filter_value": "Tid"}, ["a"]),
        ({"filter_type": "field-search", "filter_field": "description", "filter_value": "pris"}, ["c"]),
        ({"filter_type": "field", "filter_field": "bookkeeping:income_account", "filter_value": "3011"}, ["b"]),
        ({"filter_type": "special", "filter_field": "search", "filter_value": "bok pris"}, ["c"]),
        ({"order_field": "price", "order_direction": "asc"}, ["b", "a", "c"]),
        ({"order_field": "title", "order_direction": "desc"}, ["a", "c", "b"]),
    ],
)
async def test_items_are_listed_filtered_and_ordered(client: Client, query: dict[str, str], found: list[str]) -> None:
    await made(client, item_no="a")
    await made(client, item_no="b", title="Blad", price=10, bookkeeping={"income_account": "3011"})
    await made(client, item_no="c", title="Bok", description="med pris")
    listed = ok(await client.api("GET", "/item", page=1, page_size=10, **query))

    assert [each["item_no"] for each in listed["data"]] == found
    assert listed["meta"] == {"total_count": len(found)}
    assert listed["data"][0]["unit"] == "month"


async def test_row_takes_missing_values_from_its_item(client: Client) -> None:
    await made(client, description="Varje dag", bookkeeping={"income_account": "3011"})
    rows = [{"item_no": "1", "count": 2}, {"item_no": "1", "count": 1, "title": "Annan", "price": 10, "vat": None}]
    draft = await client.draft(items=rows)
    plain, own = draft["items"]

    assert (plain["title"], plain["description"], plain["unit"]) == ("Tidning", "Varje dag", "month")
    assert (plain["price"], plain["vat"], plain["discount"]) == (99.5, 6, 0)
    assert (own["title"], own["price"], own["vat"], own["description"]) == ("Annan", 10, 6, "Varje dag")
    assert plain["bookkeeping"] == {"income_account": "3011", "vat_account": "2630", "objects": []}


async def test_row_of_an_unknown_item_needs_all_values(client: Client) -> None:
    bare = await client.try_draft(items=[{"item_no": "unknown", "count": 1}])
    no_text = await client.try_draft(items=[{"item_no": "\ud800", "count": 1} | ITEM])
    whole = await client.draft(items=[{"item_no": "unknown", "count": 1} | ITEM])

    assert problem(bare) == (400, "INVALID_PARAMETER", "title", ["items", 0])
    assert problem(no_text) == (400, "INVALID_PARAMETER", None, None)
    assert whole["items"][0]["item_no"] == "unknown"


async def test_row_without_accounts_gets_those_of_its_vat_rate(client: Client) -> None:
    rows = [{"title": "A", "count": 1, "price": 1, "vat": vat} for vat in (25, "12.00", 6, 0, 7)]
    draft = await client.draft(items=rows)
    accounts = [tuple(row["bookkeeping"][key] for key in ("income_account", "vat_account")) for row in draft["items"]]

    assert accounts == [("3001", "2610"), ("3002", "2620"), ("3003", "2630"), ("3004", ""), ("", "")]
