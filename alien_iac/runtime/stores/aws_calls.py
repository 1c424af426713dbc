"""Linked Functions on AWS: invoked with the workload's own role, which may invoke them and nothing else."""

from __future__ import annotations

import functools
import math
import uuid
from typing import Any

import pydantic_core
from pydantic import ValidationError

from alien_iac.errors import HandlerFailed, NotFound, Unavailable, Unsupported
from alien_iac.protocol import aws_lambda
from alien_iac.protocol.bindings import LambdaWorker
from alien_iac.runtime.stores.aws_client import client, translated
from alien_iac.runtime.stores.parsing import parse

_OK, _NOT_FOUND = 200, 404


class LambdaFunction:
    """One Function."""

    def __init__(self, name: str, region: str, url: str | None, resource_id: str) -> None:
        self._name = name
        self._url = url
        self._about = f'function "{resource_id}"'
        # One for each timeout, since it is the client's; a call that got no answer may have run, so none is sent twice.
        self._client = functools.lru_cache(maxsize=4)(
            lambda seconds: client("lambda", region, resource_id, read_seconds=seconds, attempts=1)
        )

    @property
    def url(self) -> str:
        """Its public address. Unsupported where it has none: on AWS a Function is not reached over HTTP inside."""
        if self._url is None:
            raise Unsupported(f"{self._about} has no address on AWS", hint="call its commands with `invoke`")
        return self._url

    def invoke(self, command: str, parameters: bytes, timeout_seconds: float) -> bytes:
        call = aws_lambda.Call(
            command=command, parameters=pydantic_core.from_json(parameters), id=f"call_{uuid.uuid4().hex}"
        )
        answer = self._answer(pydantic_core.to_json({aws_lambda.KEY: call.dump()}), timeout_seconds)
        if answer.status == _OK:
            return pydantic_core.to_json(answer.body)
        told = answer.body if isinstance(answer.body, dict) else {}
        text = f"{self._about}: {told.get('message', f'it answered {answer.status}')}"
        if answer.status == _NOT_FOUND:
            raise NotFound(text)
        raise HandlerFailed(text, code=str(told.get("code")))

    def _answer(self, payload: bytes, timeout_seconds: float) -> aws_lambda.Answer:
        with translated(self._about):
            answered = self._client(max(1, math.ceil(timeout_seconds))).invoke(FunctionName=self._name, Payload=payload)
            body = answered["Payload"].read()
        if answered.get("FunctionError"):
            raise Unavailable(f"{self._about} ended while it had the call")
        try:
            return aws_lambda.Answer.model_validate_json(body)
        except ValidationError:
            raise Unavailable(f"{self._about}: its answer is none that this version knows") from None


def connect_function(raw: dict[str, Any], resource_id: str) -> LambdaFunction:
    """The Function that a binding names."""
    binding = parse(LambdaWorker, raw, resource_id)
    return LambdaFunction(binding.worker_name, binding.region, binding.url, resource_id)
