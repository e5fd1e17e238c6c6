"""Changes of policy and lines on running contracts, and the preview of a policy change."""

from tests.diaries.diary import Diary, Json

GRACE: Json = {"grace_days": 5, "apply_to": "open_bills"}


async def access(diary: Diary, contract_id: str) -> Json:
    return await diary.get(f"/v1/contracts/{contract_id}/access")


async def test_a_policy_preview_equals_what_then_happens(diary: Diary) -> None:
    for name in ("late", "soon", "paid", "own"):
        policy = {"payment_days": 20 if name == "soon" else 10} | ({"grace_days": 99} if name == "own" else {})
        await diary.sell(f"preview-{name}", policy=policy)
    await diary.pay(await diary.bill("preview-paid", 0))
    await diary.forward("18d")
    preview = await diary.command("/v1/policy/preview", GRACE)
    predicted = {one["contract_id"]: one for one in preview.json()["changes"]}
    before = {name: await access(diary, name) for name in ("preview-late", "preview-soon")}
    saved = await diary.api.put("/v1/policy", json=GRACE)
    await diary.drain()
    after = {name: await access(diary, f"preview-{name}") for name in ("late", "soon", "paid", "own")}

    assert (preview.status_code, saved.json()) == (200, preview.json()["policy"])
    assert set(predicted) == {"preview-late", "preview-soon"}
    assert {one["access"] for one in before.values()} == {"on"}
    assert (after["late"]["access"], after["late"]["reason"]) == ("off", "past_grace")
    assert after["soon"]["next_change"] == {
        "at": predicted["preview-soon"]["at"], "to": "off", "because": "past_grace",
    }  # fmt: skip
    assert (after["paid"]["access"], after["own"]["access"]) == ("on", "on")

    await diary.forward("8d")

    soon = await access(diary, "preview-soon")
    assert (soon["access"], soon["since"]) == ("off", predicted["preview-soon"]["at"])

    reversal = await diary.command("/v1/policy/preview", {"grace_days": None, "apply_to": "open_bills"})
    await diary.set_policy(grace_days=None, apply_to="open_bills")
    await diary.drain()

    assert {one["contract_id"]: one["to"] for one in reversal.json()["changes"]} == {
        "preview-late": "on", "preview-soon": "on",
    }  # fmt: skip
    assert (await access(diary, "preview-late"))["access"] == (await access(diary, "preview-soon"))["access"] == "on"


async def test_a_policy_change_for_new_bills_leaves_open_bills(diary: Diary) -> None:
    await diary.sell("new-only", policy={"payment_days": 1})
    preview = await diary.command("/v1/policy/preview", {"grace_days": 1})
    await diary.set_policy(grace_days=1)
    await diary.forward("10d")
    await diary.set_policy(grace_days=None)

    assert preview.json()["changes"] == []
    assert (await access(diary, "new-only"))["access"] == "on"


async def test_new_lines_apply_from_the_next_bill(diary: Diary) -> None:
    line = {"title": "Global Small", "quantity": 1, "unit_price": "95.00", "vat_rate": "25"}
    await diary.sell("new-lines")
    changed = await diary.api.patch("/v1/contracts/new-lines", json={"lines": [line]})
    await diary.forward("31d")

    assert changed.status_code == 200
    assert [bill["total"] for bill in await diary.bills("new-lines")] == ["395.00", "95.00"]


async def test_access_is_explained_in_english_and_swedish(diary: Diary) -> None:
    await diary.sell("two-languages", policy={"payment_days": 0, "grace_days": 0})
    await diary.forward("2d")
    english = await access(diary, "two-languages")
    swedish = (
        await diary.api.get("/v1/contracts/two-languages/access", headers={"Accept-Language": "sv-SE,sv;q=0.9"})
    ).json()
    shown = await diary.current_details("two-languages")

    assert english["explanation"].startswith("Access is off since")
    assert swedish["explanation"].startswith("Åtkomsten är av sedan")
    assert english["explanation"] in shown
    assert swedish["explanation"] in shown
