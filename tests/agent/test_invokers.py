"""How the agent calls Functions over HTTP: what it shows, and what it makes of the answers."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest
from runtime.runtime_workload import envelope

from alien_iac.agent.invokers import HttpInvoker, Invokers
from alien_iac.agent.mailbox import Lost
from alien_iac.errors import Unavailable
from alien_iac.protocol import arc
from alien_iac.protocol.outputs import Invoke

GOOD = {"status": "success", "response": {"mode": "inline", "inlineBase64": "Mw=="}}
WHERE = Invoke(kind="cloud-run", url="https://worker.run.app")


def invoker(answer: Callable[[httpx.Request], httpx.Response], *, is_replaced: bool = False) -> HttpInvoker:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return HttpInvoker(http, lambda how: f"token for {how.url}", path="/_alien/commands", is_replaced=is_replaced)


async def test_a_function_is_shown_a_token_for_its_own_address() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=GOOD)

    told = await invoker(answer).call(envelope("add"), WHERE)
    assert isinstance(told, arc.Success)
    assert str(seen[0].url) == "https://worker.run.app/_alien/commands"
    assert seen[0].headers["authorization"] == "Bearer token for https://worker.run.app"
    assert json.loads(seen[0].content)["commandId"] == "c1"


@pytest.mark.parametrize(
    ("status", "raised"), [(429, Unavailable), (503, Unavailable), (500, Lost), (502, Lost), (504, Lost)]
)
async def test_what_may_pass_is_tried_again_and_what_was_begun_is_lost(status: int, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        await invoker(lambda _: httpx.Response(status)).call(envelope("add"), WHERE)


@pytest.mark.parametrize("answer", [httpx.Response(401), httpx.Response(403), httpx.Response(200, text="hello")])
async def test_what_would_fail_again_is_a_failure(answer: httpx.Response) -> None:
    told = await invoker(lambda _: answer).call(envelope("add"), WHERE)
    assert isinstance(told, arc.Failure)
    assert told.code == "DELIVERY_FAILED"


async def test_on_this_machine_a_token_that_is_refused_may_be_replaced_soon() -> None:
    with pytest.raises(Unavailable):
        await invoker(lambda _: httpx.Response(401), is_replaced=True).call(envelope("add"), WHERE)


async def test_a_function_that_cannot_be_reached_did_not_have_the_command() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    def end(request: httpx.Request) -> httpx.Response:
        raise httpx.RemoteProtocolError("closed", request=request)

    with pytest.raises(Unavailable, match="does not answer"):
        await invoker(refuse).call(envelope("add"), WHERE)
    with pytest.raises(Lost):
        await invoker(end).call(envelope("add"), WHERE)


async def test_every_kind_of_place_has_an_invoker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", "agent")
    async with httpx.AsyncClient() as http:
        known = Invokers(http)
        for kind in ("http", "lambda", "cloud-run", "azure-function"):
            assert known.of(kind) is known.of(kind)
