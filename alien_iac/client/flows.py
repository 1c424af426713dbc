"""What is asked of the control plane, step by step, without any I/O: the blocking and the async client both run these.

A flow yields requests and is sent the answers. It is thrown Unavailable where there was none.
"""

import base64
import json
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict, TypeVar

import httpx
import pydantic_core
from pydantic import BaseModel, ValidationError

from alien_iac.client import failures
from alien_iac.errors import HandlerFailed, InvalidInput, Unavailable
from alien_iac.protocol import arc
from alien_iac.protocol.api import Page
from alien_iac.protocol.signing import Signed, Signer

HOLD_S = 20
"""How long the control plane holds a question for a command's end; it allows 25 s."""
WATCH_S = 1
"""The same, where somebody watches the command on its way."""
TIMEOUT_S = 60.0
GRACE_S = 5.0
"""How long after a command's deadline its end is waited for."""
PAGE = 100

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A request. `url`: a path below `/v1` of the control plane, or a signed URL, which no token goes to."""

    method: str
    url: str
    body: object = None
    content: bytes | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        """Whether the token goes along."""
        return self.url.startswith("/")


Flow = Generator[Ask, httpx.Response, T]
Watch = Callable[[arc.CommandStatus], object]


class Options(TypedDict, total=False):
    """How a command is sent."""

    target: str
    """The workload, where more than one takes commands."""
    timeout: float
    """Seconds (60) until the command ends by itself."""
    attempts: int
    """How often it may be delivered (5)."""
    priority: int
    """-100 to 100 (0); a higher one is delivered first."""
    idempotency_key: str
    """The same key gives the same command; with other parameters it is a Conflict."""
    traceparent: str
    """The W3C trace that the command belongs to."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A command that is to be sent. `parameters` is JSON."""

    deployment: str
    command: str
    parameters: bytes
    options: Options
    signer: Signer | None = None

    @property
    def timeout(self) -> float:
        return self.options.get("timeout", TIMEOUT_S)


def sent(deployment: str, command: str, parameters: object, options: Options, signer: Signer | None) -> Sent:
    """A command from what its caller gave: parameters are plain data or a pydantic model. InvalidInput for others."""
    try:
        body = pydantic_core.to_json({} if parameters is None else parameters)
    except pydantic_core.PydanticSerializationError as error:
        raise InvalidInput(f"the parameters cannot be JSON: {error}") from error
    return Sent(deployment=deployment, command=command, parameters=body, options=options, signer=signer)


def send(sent: Sent) -> Flow[str]:
    """Create the command, upload what is large; its id."""
    large = len(sent.parameters) > arc.INLINE_LIMIT
    params: arc.Body = (
        arc.Stored(size=len(sent.parameters))
        if large
        else arc.Inline(inline_base64=base64.b64encode(sent.parameters).decode())
    )
    trace = sent.options.get("traceparent")
    headers = {"traceparent": trace} if trace else {}
    asked = _request(sent, params)
    made = read(arc.CommandCreated, (yield Ask(method="POST", url="/commands", body=asked.dump(), headers=headers)))
    if made.storage_upload is not None:
        backend = made.storage_upload.put_request.backend
        yield Ask(method=backend.method, url=backend.url, content=sent.parameters, headers=backend.headers)
        size = {"size": len(sent.parameters)}
        yield Ask(method="POST", url=f"/commands/{made.command_id}/upload-complete", body=size)
    return made.command_id


def _request(sent: Sent, params: arc.Body) -> arc.CreateCommand:
    options, target = sent.options, sent.options.get("target")
    signed = Signed(deployment_id=sent.deployment, command=sent.command, params=sent.parameters)
    expires = time.time() + sent.timeout
    try:
        return arc.CreateCommand(
            deployment_id=sent.deployment,
            command=sent.command,
            params=params,
            # One that is made here lets the request be sent again where its answer was lost.
            idempotency_key=options.get("idempotency_key") or str(uuid.uuid4()),
            target_resource_id=target,
            timeout_seconds=sent.timeout,
            max_attempts=options.get("attempts"),
            priority=options.get("priority", 0),
            signature=sent.signer.sign(signed, target, expires) if sent.signer else None,
        )
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise InvalidInput(f"the command cannot be sent: {wrong}") from error


def status(command_id: str, wait: float = 0) -> Flow[arc.CommandStatus]:
    """How the command is; held for `wait` seconds until it has ended."""
    answer = yield Ask(method="GET", url=f"/commands/{command_id}", query={"wait": f"{wait:g}"})
    return read(arc.CommandStatus, answer)


def result(command_id: str, timeout: float, watch: Watch | None = None) -> Flow[Any]:
    """Wait for the end; the result as plain data. Raises what `failures` makes of an end without one."""
    return (yield from content((yield from _ended(command_id, timeout, watch))))


def _ended(command_id: str, timeout: float, watch: Watch | None) -> Flow[arc.CommandStatus]:
    end, most = time.monotonic() + timeout, WATCH_S if watch else HOLD_S
    while True:
        left = end - time.monotonic()
        try:
            found = yield from status(command_id, max(0.0, min(most, left)))
        except Unavailable:
            if time.monotonic() > end:
                raise
            continue
        if watch:
            watch(found)
        if found.state in arc.TERMINAL:
            return found
        if time.monotonic() > end:
            raise failures.waits(found, timeout)


def content(found: arc.CommandStatus) -> Flow[Any]:
    """The result of a command that has ended; a large one is fetched."""
    match found.response:
        case arc.Success(response=arc.Inline(inline_base64=text)):
            return _data(base64.b64decode(text), found)
        case arc.Success(response=arc.Stored(storage_get_request=arc.PresignedRequest(backend=backend))):
            answer = yield Ask(method=backend.method, url=backend.url, headers=backend.headers)
            return _data(answer.content, found)
        case _:
            raise failures.ended(found)


def _data(body: bytes, found: arc.CommandStatus) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise HandlerFailed(f"the result of command {found.command_id} is not JSON") from error


def invoke(sent: Sent, watch: Watch | None = None) -> Flow[Any]:
    """Send, and wait for the result."""
    command_id = yield from send(sent)
    return (yield from result(command_id, sent.timeout + GRACE_S, watch))


def cancel(command_id: str) -> Flow[arc.CommandStatus]:
    """End the command, unless it has ended: then it stays as it is."""
    return read(arc.CommandStatus, (yield Ask(method="POST", url=f"/commands/{command_id}/cancel")))


def page(deployment: str | None, state: arc.State | None, cursor: str | None) -> Flow[Page[arc.CommandSummary]]:
    """One page of the list, newest first."""
    named = {"deployment": deployment, "state": state, "cursor": cursor, "limit": str(PAGE)}
    query = {key: value for key, value in named.items() if value is not None}
    return read(Page[arc.CommandSummary], (yield Ask(method="GET", url="/commands", query=query)))


def read(model: type[M], answer: httpx.Response) -> M:
    """The body of an answer. Unavailable where it is not one: it is not our control plane, or a proxy before it."""
    try:
        return model.model_validate_json(answer.content)
    except ValidationError as error:
        told = f"{error.error_count()} field(s) are wrong"
        raise Unavailable(f"the control plane's answer is not a {model.__name__}: {told}") from error
