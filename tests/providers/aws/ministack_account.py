"""One account of AWS on MiniStack, and how a resource is made in it by a single call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name
from providers.aws.ministack_requests import found, pairs, parameters, tags
from runtime.stores_aws import MiniStack

Inputs = Mapping[str, Any]


@dataclass(frozen=True)
class Account:
    """MiniStack keeps accounts apart by the access key, which is the account's number. `tags`: on all that is made."""

    cloud: MiniStack
    number: str
    tags: Mapping[str, str] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def client(self, service: str) -> Any:
        """Clients may be shared between threads, but are not made by two at a time."""
        with self._guard:
            if service not in self._clients:
                self._clients[service] = self.cloud.client(service, self.number)
            return self._clients[service]

    def tagged(self, inputs: Inputs) -> dict[str, str]:
        """A resource's tags: its own, and the provider's."""
        return {**self.tags, **inputs.get("tags", {})}


Apply = Callable[[Account, Inputs], Mapping[str, Any]]
"""Makes a resource of a type from its inputs, and tells its outputs, `id` among them."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A type whose resources are made by one call."""

    service: str
    operation: str
    """By its name in the API: `CreateVpc`."""
    identity: str
    """Dotted path of the resource's id in the answer, or `=` and the input that is the id."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Input to the dotted path of its parameter, where that has another name."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Output to its dotted path in the answer."""
    left: tuple[str, ...] = ()
    """Inputs that are not for this call: those for a delete or for the provider, and `tags` everywhere."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that the provider adds of its own."""

    def __call__(self, account: Account, inputs: Inputs) -> Mapping[str, Any]:
        client = account.client(self.service)
        shape = client.meta.service_model.operation_model(self.operation).input_shape
        given = {key: value for key, value in inputs.items() if key not in {*self.left, "tags"}}
        request = {**parameters(shape, self.names, given), **tags(shape, account.tagged(inputs)), **self.fixed}
        answer = getattr(client, xform_name(self.operation))(**request)
        identity = inputs[self.identity[1:]] if self.identity.startswith("=") else found(answer, self.identity)
        if "TagSpecifications" in shape.members:
            client.create_tags(Resources=[identity], Tags=pairs(account.tagged(inputs)))
        return {"id": identity, **{name: found(answer, path) for name, path in self.outputs.items()}}
