"""Callbacks that are lost, duplicated, delayed, reordered, or sent before the response."""

from billogram_sandbox_tests.client import Client, Json, Receiver, eventually, types

NAMES = [f"c-{n}:0:r0" for n in range(20)]


async def test_dropped_callback_is_never_sent(live: Client, receiver: Receiver) -> None:
    """The change happened, and no callback was sent."""
    await _misbehave(live, drop=1)
    lost = await live.sent()
    await live.pay(lost["id"])
    await live.control("PUT", "/faults", {})
    sent = await live.sent()
    await live.quiet()
    clock = await live.control("GET", "/clock")

    assert receiver.types(lost["id"]) == []
    assert receiver.types(sent["id"]) == ["BillogramCreated", "BillogramSent"]
    dropped = [each for each in await live.callbacks() if each["billogram_id"] == lost["id"]]
    assert [(each["type"], each["outcome"], each["attempts"]) for each in dropped] == [
        (kind, "dropped", []) for kind in types(await live.get(lost["id"]))
    ]
    assert (clock["callbacks_pending"], clock["callbacks_due"]) == (0, 0)


async def test_duplicated_callback_is_sent_twice_unchanged(live: Client, receiver: Receiver) -> None:
    await _misbehave(live, duplicate=1)
    billogram = await live.sent()
    await live.quiet()

    assert receiver.types(billogram["id"]) == ["BillogramCreated"] * 2 + ["BillogramSent"] * 2
    assert receiver.received[0].raw == receiver.received[1].raw
    assert [each["outcome"] for each in await live.callbacks()] == ["delivered"] * 4


async def test_dropped_callback_is_not_duplicated(live: Client) -> None:
    await _misbehave(live, drop=1, duplicate=1)
    await live.sent()

    assert [each["outcome"] for each in await live.callbacks()] == ["dropped", "dropped"]


async def test_same_seed_hits_the_same_callbacks(client: Client) -> None:
    async def outcomes_of(names: list[str], seed: int) -> dict[str, list[str]]:
        await client.control("POST", "/reset")
        await client.control("PUT", "/account", {"callback_url": "http://127.0.0.1:9/"})
        await _misbehave(client, seed=seed, drop=0.5, duplicate=0.5)
        for name in names:
            await client.sent(callbacks={"custom": name})
        outcomes: dict[str, list[str]] = {name: [] for name in NAMES}
        for each in await client.callbacks():
            outcomes[each["custom"]].append(each["outcome"])
        return outcomes

    first = await outcomes_of(NAMES, 7)

    assert await outcomes_of(NAMES[::-1], 7) == first
    assert await outcomes_of(NAMES, 8) != first
    assert {outcome for each in first.values() for outcome in each} == {"pending", "dropped"}


async def test_reordered_callbacks_all_arrive(live: Client, receiver: Receiver) -> None:
    await _misbehave(live, reorder=True, seed=1)
    for name in NAMES[:8]:
        await live.sent(callbacks={"custom": name})
    await live.quiet()

    orders = [[each.type for each in receiver.received if each.custom == name] for name in NAMES[:8]]
    assert [sorted(order) for order in orders] == [["BillogramCreated", "BillogramSent"]] * 8
    assert ["BillogramSent", "BillogramCreated"] in orders
    assert ["BillogramCreated", "BillogramSent"] in orders


async def test_reordered_callback_does_not_wait_for_a_failed_one(live: Client, receiver: Receiver) -> None:
    """The third retry is half a minute away."""
    receiver.statuses = [500, 500, 500]
    stuck = await live.draft()
    await receiver.holds(3)
    await _misbehave(live, reorder=True)
    await live.command(stuck["id"], "send", {"method": "Email"})
    await receiver.holds(4)
    await _idle(live)
    clock = await live.control("GET", "/clock")

    assert receiver.types(stuck["id"]) == ["BillogramCreated"] * 3 + ["BillogramSent"]
    assert (clock["callbacks_pending"], clock["callbacks_due"]) == (1, 0)


async def test_delayed_callback_counts_as_due(client: Client) -> None:
    """`callbacks_due` counts it, unlike a retry."""
    await client.control("PUT", "/account", {"callback_url": "http://127.0.0.1:9/"})
    await _misbehave(client, delay_ms=[20_000, 30_000])
    await client.sent()
    clock = await client.control("GET", "/clock")

    assert (clock["callbacks_pending"], clock["callbacks_due"]) == (2, 2)


async def test_delayed_callbacks_keep_their_order(live: Client, receiver: Receiver) -> None:
    await _misbehave(live, delay_ms=[0, 60])
    billogram = await live.sent()
    await live.pay(billogram["id"])
    await live.quiet()

    assert receiver.types(billogram["id"]) == ["BillogramCreated", "BillogramSent", "Payment", "BillogramEnded"]


async def test_callback_may_arrive_before_the_response(live: Client, receiver: Receiver) -> None:
    await _misbehave(live, before_answer=1)
    billogram = await live.sent()
    there = receiver.types(billogram["id"])
    paid = await live.command(billogram["id"], "payment", {"amount": 149})
    by_then = receiver.types(billogram["id"])

    assert there == ["BillogramCreated", "BillogramSent"]
    assert by_then == [*there, "Payment", "BillogramEnded"]
    assert paid.status_code == 200


async def test_failing_receiver_does_not_block_the_response(live: Client, receiver: Receiver) -> None:
    receiver.statuses = [500] * 3
    await _misbehave(live, before_answer=1)
    draft = await live.draft()

    assert receiver.types(draft["id"])[:1] == ["BillogramCreated"]


async def _misbehave(client: Client, seed: int | None = None, **callbacks: object) -> None:
    wanted: Json = {"callbacks": callbacks}
    await client.control("PUT", "/faults", wanted if seed is None else wanted | {"seed": seed})


async def _idle(client: Client) -> None:
    async def none() -> bool:
        return bool((await client.control("GET", "/clock"))["callbacks_due"] == 0)

    await eventually(none)
