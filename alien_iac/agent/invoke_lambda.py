"""Functions on Lambda, invoked with the agent's role."""

from __future__ import annotations

import asyncio
import functools
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import httpx

from alien_iac.agent.invokers import failed, response
from alien_iac.agent.mailbox import Lost
from alien_iac.errors import Unavailable
from alien_iac.protocol import arc
from alien_iac.protocol.outputs import Invoke

AT_ONCE = 64
"""Invocations that wait at the same time, each in a thread."""
READ_SECONDS = 910
"""Longer than any Function on Lambda runs."""
_NEVER = frozenset(
    {
        "AccessDeniedException",
        "InvalidParameterValueException",
        "InvalidRequestContentException",
        "RequestTooLargeException",
        "ResourceNotFoundException",
        "UnsupportedMediaTypeException",
    }
)
"""Refusals that another try would meet too. Whatever else Lambda answers may pass: throttling, or a Function that is
being updated."""


class LambdaInvoker:
    """`client` makes Lambda's client for a region; an invocation that got no answer may have run, so it tries once."""

    def __init__(self, client: Any) -> None:
        self._client = functools.cache(client)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="invoke")

    async def call(self, envelope: arc.Envelope, how: Invoke) -> arc.Response:
        body = json.dumps(envelope.dump()).encode()
        invoke = functools.partial(self._invoke, how, body, envelope.target.resource_id)
        return await asyncio.get_running_loop().run_in_executor(self._threads, invoke)

    def _invoke(self, how: Invoke, body: bytes, name: str) -> arc.Response:
        try:
            answered = self._client(how.region).invoke(FunctionName=how.name, Payload=body)
            content = answered["Payload"].read()
        except botocore.exceptions.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "no code"))
            if code in _NEVER:
                return failed(f"Lambda answered {code}")
            raise Unavailable(f"{name}: Lambda answered {code}") from error
        except (botocore.exceptions.ReadTimeoutError, botocore.exceptions.ConnectionClosedError) as error:
            raise Lost(f"{name} did not answer in the end ({type(error).__name__})") from error
        except botocore.exceptions.BotoCoreError as error:
            raise Unavailable(f"{name}: Lambda does not answer ({type(error).__name__})") from error
        if answered.get("FunctionError"):
            raise Lost(f"{name} ended while it had the command")
        return response(content)


def make(_http: httpx.AsyncClient) -> LambdaInvoker:
    """The invoker, with the credentials that the agent finds."""
    config = botocore.config.Config(
        connect_timeout=5,
        read_timeout=READ_SECONDS,
        max_pool_connections=AT_ONCE,
        tcp_keepalive=True,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    session = boto3.session.Session()
    return LambdaInvoker(lambda region: session.client("lambda", region_name=region, config=config))
