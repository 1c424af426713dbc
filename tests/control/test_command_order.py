"""Which commands are delivered first: by priority, then by age, and to each workload its share."""

from dataclasses import replace

from control.control_plane import API, WORKER, Agent, Plane, inline, unpack
from hypothesis import given
from hypothesis import strategies as st

from alien_iac.control.store.commands import fair

OTHER = {"resourceId": "other", "resourceType": "container"}


async def _numbers(agent: Agent, **more: object) -> list[object]:
    return [unpack(lease["envelope"]["params"]) for lease in await agent.lease(**more)]


async def test_priority_goes_before_age(plane: Plane, agent: Agent) -> None:
    for number, priority in enumerate((0, 5, -1, 5, 0)):
        await agent.sent(params=inline(number), priority=priority)
        plane.clock.advance(1)
    assert await _numbers(agent, maxLeases=3) == [1, 3, 0]
    assert await _numbers(agent, maxLeases=3) == [4, 2]


async def test_a_priority_out_of_range_is_refused(agent: Agent) -> None:
    for wrong in (101, -101, 10**30, "high"):
        assert (await agent.send(priority=wrong)).status_code == 400


async def test_one_long_queue_keeps_nothing_from_another_workload(plane: Plane) -> None:
    agent = await plane.agent("acme", (WORKER, API, OTHER))
    for number in range(20):
        await agent.sent(params=inline(number), targetResourceId="worker", priority=9)
        plane.clock.advance(0.001)
    await agent.sent(params=inline("api"), targetResourceId="api")
    await agent.sent(params=inline("other"), targetResourceId="other")
    assert await _numbers(agent, maxLeases=4) == [0, "api", "other", 1]
    assert await _numbers(agent, maxLeases=2) == [2, 3]


async def test_a_full_workload_is_left_out(plane: Plane) -> None:
    agent = await plane.agent("acme", (WORKER, API))
    await agent.sent(params=inline(1), targetResourceId="worker")
    await agent.sent(params=inline(2), targetResourceId="api")
    assert await _numbers(agent, maxLeases=9, full=["worker"]) == [2]
    assert await agent.lease(full=["worker", "api"]) == []
    assert await _numbers(agent) == [1]


async def test_one_deployment_has_no_part_in_anothers_queue(plane: Plane, agent: Agent) -> None:
    other = await plane.agent("other")
    for number in range(30):
        await agent.sent(params=inline(number))
    await other.sent(params=inline("mine"))
    assert await _numbers(other) == ["mine"]


async def test_a_deployment_has_so_many_open_commands_and_no_more(plane: Plane, agent: Agent) -> None:
    plane.app.state.control = replace(plane.control, most_open=3)
    first = await agent.sent(idempotencyKey="k")
    for _ in range(2):
        await agent.sent()
    refused = await agent.send()
    assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_COMMANDS")
    assert refused.json()["retryable"]
    assert await agent.sent(idempotencyKey="k") == first
    await (await plane.agent("other")).sent()
    await plane.ok("POST", f"/commands/{first}/cancel")
    await agent.sent()


@given(
    st.lists(
        st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 9)), max_size=8).map(
            lambda rows: [{"rank": rank, "available_at": at} for rank, at in sorted(rows)]
        ),
        max_size=5,
    ),
    st.integers(0, 12),
)
def test_turns(queues: list[list[dict[str, int]]], count: int) -> None:
    found = fair(queues, count)  # type: ignore[arg-type] # rows of a database are mappings, as these are
    assert len(found) == min(count, sum(map(len, queues)))
    shares = [sum(row is one for one in found for row in queue) for queue in queues]
    for queue, share in zip(queues, shares, strict=True):
        assert [row for row in found if any(row is one for one in queue)] == queue[:share]
        if share < len(queue):
            assert share >= max(shares) - 1
