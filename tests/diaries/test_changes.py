"""Change while it runs: the account's policy laid over open bills, and a preview that equals what then happens."""

from tests.diaries.life import Json, Life

GRACE: Json = {"grace_days": 5, "apply_to": "open_bills"}


async def access(life: Life, contract_id: str) -> Json:
    return await life.get(f"/v1/contracts/{contract_id}/access")


async def test_a_preview_equals_what_then_happens(life: Life) -> None:
    for name in ("late", "soon", "paid", "own"):
        policy = {"payment_days": 20 if name == "soon" else 10} | ({"grace_days": 99} if name == "own" else {})
        await life.sell(f"preview-{name}", policy=policy)
    await life.pay(await life.bill("preview-paid", 0))
    await life.forward("18d")
    preview = await life.command("/v1/policy/preview", GRACE)
    foretold = {one["contract_id"]: one for one in preview.json()["changes"]}
    before = {name: await access(life, name) for name in ("preview-late", "preview-soon")}
    saved = await life.api.put("/v1/policy", json=GRACE)
    await life.quiet()
    after = {name: await access(life, name) for name in ("preview-late", "preview-soon", "preview-paid", "preview-own")}

    assert (preview.status_code, saved.json()) == (200, preview.json()["policy"])
    assert set(foretold) == {"preview-late", "preview-soon"}
    assert {one["access"] for one in before.values()} == {"on"}
    assert (after["preview-late"]["access"], after["preview-late"]["reason"]) == ("off", "past_grace")
    assert after["preview-soon"]["next_change"] == {
        "at": foretold["preview-soon"]["at"], "to": "off", "because": "past_grace",
    }  # fmt: skip
    assert (after["preview-paid"]["access"], after["preview-own"]["access"]) == ("on", "on")

    await life.forward("8d")

    soon = await access(life, "preview-soon")
    assert (soon["access"], soon["since"]) == ("off", foretold["preview-soon"]["at"])

    gain = await life.command("/v1/policy/preview", {"grace_days": None, "apply_to": "open_bills"})
    await life.api.put("/v1/policy", json={"grace_days": None, "apply_to": "open_bills"})
    await life.quiet()

    assert {one["contract_id"]: one["to"] for one in gain.json()["changes"]} == {
        "preview-late": "on", "preview-soon": "on",
    }  # fmt: skip
    assert (await access(life, "preview-late"))["access"] == (await access(life, "preview-soon"))["access"] == "on"


async def test_a_change_for_new_bills_touches_no_open_one(life: Life) -> None:
    await life.sell("new-only", policy={"payment_days": 1})
    preview = await life.command("/v1/policy/preview", {"grace_days": 1})
    await life.api.put("/v1/policy", json={"grace_days": 1})
    await life.forward("10d")
    await life.api.put("/v1/policy", json={"grace_days": None})

    assert preview.json()["changes"] == []
    assert (await access(life, "new-only"))["access"] == "on"


async def test_new_lines_are_on_the_next_bill(life: Life) -> None:
    line = {"title": "Global Small", "quantity": 1, "unit_price": "95.00", "vat_rate": "25"}
    await life.sell("new-lines")
    changed = await life.api.patch("/v1/contracts/new-lines", json={"lines": [line]})
    await life.forward("31d")

    assert changed.status_code == 200
    assert [bill["total"] for bill in await life.bills("new-lines")] == ["395.00", "95.00"]


async def test_why_is_told_in_two_languages(life: Life) -> None:
    await life.sell("two-languages", policy={"payment_days": 0, "grace_days": 0})
    await life.forward("2d")
    english = await access(life, "two-languages")
    swedish = (
        await life.api.get("/v1/contracts/two-languages/access", headers={"Accept-Language": "sv-SE,sv;q=0.9"})
    ).json()
    shown = await life.current_details("two-languages")

    assert english["explanation"].startswith("Access is off since")
    assert swedish["explanation"].startswith("Åtkomsten är av sedan")
    assert english["explanation"] in shown
    assert swedish["explanation"] in shown
