"""Commands over HTTP, as senders and receivers of the published protocol exchange them."""

import asyncio
import base64
import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from control.control_plane import API, WORKER, Agent, Plane, inline, unpack

from alien_iac.control import housekeeping


async def test_a_command_goes_round(plane: Plane, agent: Agent) -> None:
    made = (await agent.send(command="read-file")).json()
    assert made["state"] == "PENDING"
    assert made["next"] == "poll"
    assert made["inlineAllowedUpTo"] == 150_000
    assert "storageUpload" not in made

    (lease,) = await agent.lease(maxLeases=5)
    envelope = lease["envelope"]
    assert lease["attempt"] == envelope["attempt"] == 1
    assert envelope["protocol"] == "arc.v1"
    assert envelope["target"] == WORKER
    assert unpack(envelope["params"]) == {"path": "a"}
    assert envelope["responseHandling"]["maxInlineBytes"] == 150_000
    assert envelope["responseHandling"]["storageUploadRequest"]["operation"] == "put"
    assert (await plane.ok("GET", f"/commands/{made['commandId']}"))["state"] == "DISPATCHED"

    assert (await agent.answer(lease, {"text": "hello"})).status_code == 200
    status = await plane.ok("GET", f"/commands/{made['commandId']}")
    assert status["state"] == "SUCCEEDED"
    assert status["target"] == WORKER
    assert status["attempt"] == 1
    assert unpack(status["response"]["response"]) == {"text": "hello"}


async def test_nothing_to_do_is_an_empty_list(agent: Agent) -> None:
    assert await agent.lease() == []


async def test_a_result_is_recorded_once(plane: Plane, agent: Agent) -> None:
    command = await agent.sent()
    (lease,) = await agent.lease()
    answers = await asyncio.gather(*(agent.answer(lease, number) for number in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    first = await plane.ok("GET", f"/commands/{command}")
    await agent.answer(lease, "late")
    assert await plane.ok("GET", f"/commands/{command}") == first


async def test_a_lease_that_ran_out_is_given_again_and_the_late_result_is_refused(plane: Plane, agent: Agent) -> None:
    command = await agent.sent()
    (first,) = await agent.lease(leaseSeconds=10)
    assert await agent.lease() == []
    plane.clock.advance(11)
    (second,) = await agent.lease()
    assert (second["attempt"], second["commandId"]) == (2, command)
    assert second["leaseId"] != first["leaseId"]
    late = await agent.answer(first, "late")
    assert (late.status_code, late.json()["code"]) == (409, "LEASE_SUPERSEDED")
    assert (await agent.answer(second, "in time")).status_code == 200


async def test_a_result_after_the_lease_but_before_another_is_taken(plane: Plane, agent: Agent) -> None:
    command = await agent.sent()
    (lease,) = await agent.lease(leaseSeconds=10)
    plane.clock.advance(60)
    assert (await agent.answer(lease)).status_code == 200
    assert (await plane.ok("GET", f"/commands/{command}"))["state"] == "SUCCEEDED"


async def test_a_released_lease_is_given_again_at_once(plane: Plane, agent: Agent) -> None:
    await agent.sent()
    (lease,) = await agent.lease()
    path = f"/commands/leases/{lease['leaseId']}/release"
    assert (await plane.call("POST", path, {"leaseId": lease["leaseId"]}, agent.token)).status_code == 200
    assert (await plane.call("POST", path, None, agent.token)).json()["code"] == "LEASE_NOT_FOUND"
    assert (await agent.lease())[0]["attempt"] == 2


async def test_a_lease_that_its_agent_does_not_know_of_is_given_again(plane: Plane, agent: Agent) -> None:
    lost, held = await agent.sent(), await agent.sent()
    leases = {one["commandId"]: one["leaseId"] for one in await agent.lease(maxLeases=2, leaseSeconds=960)}
    assert await agent.lease() == []
    (again,) = await agent.lease(holding=[leases[held]])
    assert (again["commandId"], again["attempt"]) == (lost, 2)
    assert await agent.lease(holding=[leases[held], again["leaseId"]]) == []
    named = {"resourceId": "worker", "resourceType": "worker"}
    other = await agent.sent()
    (by_name,) = await agent.lease(target=named)
    assert by_name["commandId"] == other
    assert await agent.lease(holding=[leases[held], again["leaseId"]]) == []
    await agent.answer(again)
    assert (await plane.ok("GET", f"/commands/{lost}"))["state"] == "SUCCEEDED"


async def test_attempts_end(plane: Plane, agent: Agent) -> None:
    command = await agent.sent(maxAttempts=2)
    for attempt in (1, 2):
        (lease,) = await agent.lease(leaseSeconds=10)
        assert lease["attempt"] == attempt
        plane.clock.advance(11)
    assert await agent.lease() == []
    status = await plane.ok("GET", f"/commands/{command}")
    assert (status["state"], status["response"]["code"]) == ("FAILED", "MAX_ATTEMPTS")


async def test_a_deadline_ends_a_command(plane: Plane, agent: Agent) -> None:
    deadline = (plane.clock() + timedelta(seconds=30)).isoformat()
    command = await agent.sent(deadline=deadline)
    (lease,) = await agent.lease()
    assert lease["envelope"]["deadline"]
    plane.clock.advance(31)
    status = await plane.ok("GET", f"/commands/{command}")
    assert status["state"] == "EXPIRED"
    assert "response" not in status
    assert (await agent.answer(lease)).status_code == 200
    assert (await plane.ok("GET", f"/commands/{command}"))["state"] == "EXPIRED"


async def test_a_deadline_that_is_over_is_refused(plane: Plane, agent: Agent) -> None:
    answer = await agent.send(deadline=(plane.clock() - timedelta(seconds=1)).isoformat())
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_COMMAND")


@pytest.mark.parametrize("name", ["", "a:b", "x" * 201])
async def test_a_bad_name_is_refused(agent: Agent, name: str) -> None:
    assert (await agent.send(command=name)).json()["code"] == "INVALID_COMMAND"


async def test_the_target_is_the_only_one_or_named(plane: Plane) -> None:
    none, two = await plane.agent("none", ()), await plane.agent("two", (WORKER, API))
    assert (await none.send()).status_code == 422
    assert (await none.send()).json()["code"] == "NO_COMMAND_TARGETS"
    ambiguous = await two.send()
    assert (ambiguous.status_code, ambiguous.json()["code"]) == (409, "COMMAND_TARGET_AMBIGUOUS")
    unknown = await two.send(targetResourceId="other")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "COMMAND_TARGET_NOT_FOUND")
    await two.sent(targetResourceId="api")
    assert await two.lease(target=WORKER) == []
    assert len(await two.lease(target=API)) == 1


async def test_the_same_key_is_the_same_command(agent: Agent) -> None:
    first = await agent.sent(idempotencyKey="k")
    assert await agent.sent(idempotencyKey="k") == first
    other = await agent.send(idempotencyKey="k", params=inline("other"))
    assert (other.status_code, other.json()["code"]) == (409, "CONFLICT")
    assert await agent.sent(idempotencyKey="k2") != first
    both = await asyncio.gather(*(agent.sent(idempotencyKey="race") for _ in range(6)))
    assert len(set(both)) == 1
    assert len(await agent.lease(maxLeases=100)) == 3


async def test_cancel(plane: Plane, agent: Agent) -> None:
    command = await agent.sent()
    status = await plane.ok("POST", f"/commands/{command}/cancel")
    assert (status["state"], status["response"]["code"]) == ("FAILED", "COMMAND_CANCELLED")
    assert await agent.lease() == []
    assert await plane.ok("POST", f"/commands/{command}/cancel") == status


async def test_large_parameters_and_results_travel_by_signed_urls(plane: Plane, agent: Agent) -> None:
    text = json.dumps("x" * 400_000).encode()
    params = {"mode": "storage", "size": len(text)}
    made = (await agent.send(params=params)).json()
    assert (made["state"], made["next"]) == ("PENDING_UPLOAD", "upload")
    assert await agent.lease() == []
    path = f"/commands/{made['commandId']}/upload-complete"
    assert (await plane.call("POST", path, {"size": len(text)})).status_code == 400
    async with plane.client() as client:
        upload = made["storageUpload"]["putRequest"]["backend"]
        assert (await client.request(upload["method"], upload["url"], content=text)).status_code == 204
    for _ in range(2):
        assert (await plane.ok("POST", path, {"size": len(text)}))["state"] == "PENDING"

    (lease,) = await agent.lease()
    async with plane.client() as client:
        get = lease["envelope"]["params"]["storageGetRequest"]["backend"]
        assert (await client.request(get["method"], get["url"])).content == text
        put = lease["envelope"]["responseHandling"]["storageUploadRequest"]["backend"]
        assert (await client.request(put["method"], put["url"], content=text)).status_code == 204
        url = httpx.URL("http://control.test/v1/commands/leases").join(
            lease["envelope"]["responseHandling"]["submitResponseUrl"]
        )
        body = {"status": "success", "response": {"mode": "storage", "size": len(text), "storagePutUsed": True}}
        assert (await client.put(url, json=body)).status_code == 200
        for _ in range(2):
            plane.clock.advance(7_000)
            status = await plane.ok("GET", f"/commands/{made['commandId']}")
            stored = status["response"]["response"]
            assert stored["size"] == len(text)
            assert (await client.get(stored["storageGetRequest"]["backend"]["url"])).content == text


async def test_a_body_is_not_put_again_when_it_was_delivered(plane: Plane, agent: Agent) -> None:
    made = (await agent.send(params={"mode": "storage", "size": 2})).json()
    upload = made["storageUpload"]["putRequest"]["backend"]["url"]
    async with plane.client() as client:
        assert (await client.put(upload, content=b"no")).status_code == 204
        assert (await client.put(upload, content=b"{}")).status_code == 204
        await plane.ok("POST", f"/commands/{made['commandId']}/upload-complete", {"size": 2})
        assert (await client.put(upload, content=b"[]")).json()["code"] == "INVALID_STATE_TRANSITION"
        (lease,) = await agent.lease()
        get = lease["envelope"]["params"]["storageGetRequest"]["backend"]["url"]
        assert (await client.get(get)).content == b"{}"
        put = lease["envelope"]["responseHandling"]["storageUploadRequest"]["backend"]["url"]
        await agent.answer(lease)
        assert (await client.put(put, content=b"{}")).json()["code"] == "INVALID_STATE_TRANSITION"


async def test_old_commands_and_their_bodies_are_forgotten(plane: Plane, agent: Agent, tmp_path: Path) -> None:
    old = await agent.sent(params=inline("y" * 300_000))
    await agent.answer((await agent.lease())[0], "z" * 300_000)
    kept = await agent.sent(params=inline("y" * 300_000))
    assert len(list((tmp_path / "bodies").glob("*/cmd_*"))) == 3
    plane.clock.advance(7 * 86_400 - 60)
    await agent.renew()
    await housekeeping.prune(plane.control)
    assert (await plane.call("GET", f"/commands/{old}")).status_code == 200
    plane.clock.advance(120)
    await housekeeping.prune(plane.control)
    assert (await plane.call("GET", f"/commands/{old}")).status_code == 404
    assert (await plane.ok("GET", f"/commands/{kept}"))["state"] == "EXPIRED"
    assert [path.name for path in (tmp_path / "bodies").glob("*/cmd_*")] == [f"{kept}.params"]


async def test_large_inline_bodies_are_kept_in_files(plane: Plane, agent: Agent) -> None:
    big = "y" * 300_000
    command = await agent.sent(params=inline(big))
    (lease,) = await agent.lease()
    async with plane.client() as client:
        url = lease["envelope"]["params"]["storageGetRequest"]["backend"]["url"]
        assert (await client.get(url)).json() == big
        assert (await agent.answer(lease, big)).status_code == 200
        status = await plane.ok("GET", f"/commands/{command}")
        assert (await client.get(status["response"]["response"]["storageGetRequest"]["backend"]["url"])).json() == big


async def test_signed_urls_are_for_one_thing_and_one_time(plane: Plane, agent: Agent) -> None:
    one, other = await agent.sent(), await agent.sent()
    leases = {lease["commandId"]: lease for lease in await agent.lease(maxLeases=2)}
    good = leases[one]["envelope"]["responseHandling"]["submitResponseUrl"]
    body = {"status": "success", "response": inline(1)}
    async with plane.client() as client:
        for wrong in (
            good.replace(one, other),
            good.replace("attempt=1", "attempt=2"),
            good.replace(leases[one]["leaseId"], leases[other]["leaseId"]),
            good.replace("expires=", "expires=9"),
            good.split("?")[0],
        ):
            assert (await client.put(f"/commands/{wrong}", json=body)).status_code == 401
        put = leases[one]["envelope"]["responseHandling"]["storageUploadRequest"]["backend"]["url"]
        assert (await client.get(put)).status_code == 401
        plane.clock.advance(7_300)
        assert (await client.put(f"/commands/{good}", json=body)).status_code == 401


async def test_a_wrong_bearer_is_not_saved_by_a_good_url(plane: Plane, agent: Agent) -> None:
    await agent.sent()
    (lease,) = await agent.lease()
    url = lease["envelope"]["responseHandling"]["submitResponseUrl"]
    answer = await plane.call("PUT", f"/commands/{url}", {"status": "error", "code": "X", "message": "m"}, "wrong")
    assert answer.status_code == 401


async def test_an_agent_answers_with_its_own_token(plane: Plane, agent: Agent) -> None:
    command = await agent.sent()
    body = {"status": "error", "code": "HANDLER_ERROR", "message": "no"}
    early = await plane.call("PUT", f"/commands/{command}/response", body, agent.token)
    assert early.json()["code"] == "INVALID_STATE_TRANSITION"
    await agent.lease()
    assert (await plane.call("PUT", f"/commands/{command}/response", body, agent.token)).status_code == 200
    status = await plane.ok("GET", f"/commands/{command}")
    assert (status["state"], status["response"]["code"]) == ("FAILED", "HANDLER_ERROR")


async def test_bodies_that_are_not_base64_are_refused(agent: Agent) -> None:
    wrong = await agent.send(params={"mode": "inline", "inlineBase64": "%%"})
    assert wrong.json()["code"] == "INVALID_COMMAND"


async def test_a_list_goes_page_by_page(plane: Plane, agent: Agent) -> None:
    sent = []
    for _ in range(7):
        sent.append(await agent.sent())
        plane.clock.advance(0.001)
    found, cursor = [], None
    while True:
        query = {"deployment": agent.deployment_id, "limit": 3} | ({"cursor": cursor} if cursor else {})
        page = await plane.ok("GET", "/commands", params=query)
        found += [item["commandId"] for item in page["items"]]
        cursor = page.get("next")
        if cursor is None:
            break
    assert found == sent[::-1]
    assert (await plane.call("GET", "/commands", params={"cursor": "nonsense"})).status_code == 400


async def test_payload_shows_what_was_sent_and_answered(plane: Plane, agent: Agent) -> None:
    command = await agent.sent()
    assert "response" not in await plane.ok("GET", f"/commands/{command}/payload")
    await agent.answer((await agent.lease())[0], 5)
    found = await plane.ok("GET", f"/commands/{command}/payload")
    assert unpack(found["params"]) == {"path": "a"}
    assert unpack(found["response"]["response"]) == 5


async def test_the_trace_goes_with_the_command(plane: Plane, agent: Agent) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    body = {"deploymentId": agent.deployment_id, "command": "x", "params": inline(1)}
    await plane.ok("POST", "/commands", body, headers={"traceparent": trace})
    (lease,) = await agent.lease()
    assert lease["envelope"]["traceContext"] == {"traceparent": trace}


async def test_published_clients_get_a_short_token(plane: Plane) -> None:
    agent = await plane.agent("acme", (WORKER, API))
    sender = await plane.ok("POST", "/commands/bootstrap", {"deploymentId": agent.deployment_id, "role": "sender"})
    assert "target" not in sender
    assert sender["managerUrl"] == "http://control.test"
    body = {
        "deploymentId": agent.deployment_id,
        "command": "x",
        "params": inline(1),
        "targetResourceId": "api",
    }
    await plane.ok("POST", "/commands", body, sender["token"])
    asked = {"deploymentId": agent.deployment_id, "role": "receiver", "target": "api"}
    receiver = await plane.ok("POST", "/commands/bootstrap", asked)
    assert receiver["target"] == API
    lease = {"deploymentId": agent.deployment_id, "target": API}
    assert len((await plane.ok("POST", "/commands/leases", lease, receiver["token"]))["leases"]) == 1
    plane.clock.advance(301)
    assert (await plane.call("POST", "/commands", body, sender["token"])).status_code == 401


async def test_a_receiver_buys_short_tokens_for_its_own_workload_alone(plane: Plane) -> None:
    agent = await plane.agent("acme", (WORKER, API, {"resourceId": "index", "resourceType": "container"}))
    asked = {"deploymentId": agent.deployment_id, "role": "receiver", "target": "api"}
    token = await plane.token("receive", deploymentId=agent.deployment_id, target="api")
    assert (await plane.ok("POST", "/commands/bootstrap", asked, token))["target"] == API
    for wrong in ({**asked, "target": "index"}, {**asked, "role": "sender"}):
        assert (await plane.call("POST", "/commands/bootstrap", wrong, token)).status_code == 403
    send = await plane.token("send", deploymentId=agent.deployment_id)
    assert (await plane.call("POST", "/commands/bootstrap", asked, send)).status_code == 403
    function = await plane.call("POST", "/commands/bootstrap", {**asked, "target": "worker"})
    assert (function.status_code, function.json()["code"]) == (422, "COMMAND_RECEIVER_NOT_SUPPORTED")


async def test_without_an_agent_a_receiver_makes_itself_known_by_asking(plane: Plane) -> None:
    made = await plane.ok("POST", "/enrolment-codes", {"customer": "acme", "platform": "aws"})
    deployment = made["deploymentId"]
    body = {"deploymentId": deployment, "command": "x", "params": inline(1)}
    assert (await plane.call("POST", "/commands", body)).json()["code"] == "NO_COMMAND_TARGETS"
    token = await plane.token("receive", deploymentId=deployment, target="worker")
    lease = {"deploymentId": deployment, "target": WORKER}
    for _ in range(2):
        assert (await plane.ok("POST", "/commands/leases", lease, token))["leases"] == []
    sent = await plane.ok("POST", "/commands", body)
    (found,) = (await plane.ok("POST", "/commands/leases", lease, token))["leases"]
    assert (found["commandId"], found["envelope"]["target"]) == (sent["commandId"], WORKER)


async def test_of_an_agents_deployment_the_agent_says_who_takes_commands(plane: Plane, agent: Agent) -> None:
    await agent.beat(None)
    token = await plane.token("receive", deploymentId=agent.deployment_id, target="other")
    other = {"resourceId": "other", "resourceType": "container"}
    await plane.ok("POST", "/commands/leases", {"deploymentId": agent.deployment_id, "target": other}, token)
    body = {"deploymentId": agent.deployment_id, "command": "x", "params": inline(1), "targetResourceId": "other"}
    assert (await plane.call("POST", "/commands", body)).status_code == 404


async def test_a_lease_is_renewed_while_nobody_else_has_the_command(plane: Plane, agent: Agent) -> None:
    await agent.sent()
    (lease,) = await agent.lease(leaseSeconds=10)
    path = f"/commands/leases/{lease['leaseId']}/renew"
    for _ in range(3):
        plane.clock.advance(9)
        renewed = await plane.ok("POST", path, {"leaseSeconds": 10}, agent.token)
        assert await agent.lease() == []
    assert renewed["leaseId"] == lease["leaseId"]
    assert renewed["leaseExpiresAt"] == (plane.clock() + timedelta(seconds=10)).isoformat().replace("+00:00", "Z")
    plane.clock.advance(11)
    await plane.ok("POST", path, {"leaseSeconds": 10}, agent.token)  # it ran out, and nobody took it
    plane.clock.advance(11)
    (second,) = await agent.lease()
    late = await plane.call("POST", path, {"leaseSeconds": 10}, agent.token)
    assert (late.status_code, late.json()["code"]) == (404, "LEASE_NOT_FOUND")
    await agent.answer(second)
    ended = await plane.call("POST", f"/commands/leases/{second['leaseId']}/renew", {}, agent.token)
    assert ended.json()["code"] == "LEASE_NOT_FOUND"


async def test_what_is_too_much_for_a_lease_is_cut_to_what_is_given(plane: Plane, agent: Agent) -> None:
    await agent.sent()
    (lease,) = await agent.lease(maxLeases=10_000, leaseSeconds=10**9)
    assert lease["leaseExpiresAt"] == (plane.clock() + timedelta(hours=12)).isoformat().replace("+00:00", "Z")
    assert await agent.lease(maxLeases=0) == []


async def test_a_deadline_in_seconds_is_by_the_servers_clock(plane: Plane, agent: Agent) -> None:
    command = await agent.sent(timeoutSeconds=30)
    (lease,) = await agent.lease()
    assert lease["envelope"]["deadline"] == (plane.clock() + timedelta(seconds=30)).isoformat().replace("+00:00", "Z")
    assert lease["envelope"]["remainingSeconds"] == 30
    plane.clock.advance(31)
    assert (await plane.ok("GET", f"/commands/{command}"))["state"] == "EXPIRED"


async def test_a_lost_upload_and_a_body_without_its_command_are_collected(
    plane: Plane, agent: Agent, tmp_path: Path
) -> None:
    kept = await agent.sent(params=inline("y" * 300_000))
    lost = plane.control.bodies.path("cmd_lost.params")
    lost.parent.mkdir(exist_ok=True)
    for path in (lost, lost.with_name(".upload-1")):
        path.write_bytes(b"x")
    await housekeeping.collect(plane.control)
    assert lost.exists()
    plane.clock.advance(86_401 + 60)
    await housekeeping.collect(plane.control)
    assert [path.name for path in (tmp_path / "bodies").glob("*/*")] == [f"{kept}.params"]


async def test_an_admin_writes_parameters_before_the_delivery_and_a_result_after_it(plane: Plane, agent: Agent) -> None:
    command = (await agent.send(params={"mode": "storage", "size": 1})).json()["commandId"]
    path = f"/commands/{command}/payload"
    failed = {"status": "error", "code": "X", "message": "m"}
    assert (await plane.call("PUT", path, {"response": failed})).json()["code"] == "INVALID_STATE_TRANSITION"
    assert (await plane.call("PUT", path, {"params": inline(7)})).status_code == 200
    (lease,) = await agent.lease()
    assert unpack(lease["envelope"]["params"]) == 7
    late = await plane.call("PUT", path, {"params": inline(8)})
    assert late.json()["code"] == "INVALID_STATE_TRANSITION"
    assert (await plane.call("PUT", path, {"response": failed})).status_code == 200
    assert (await plane.ok("GET", f"/commands/{command}"))["response"]["code"] == "X"
    assert (await agent.answer(lease)).status_code == 200


async def test_parameters_are_kept_byte_for_byte(agent: Agent) -> None:
    raw = base64.b64encode(bytes(range(256))).decode()
    await agent.sent(params={"mode": "inline", "inlineBase64": raw})
    assert (await agent.lease())[0]["envelope"]["params"]["inlineBase64"] == raw
