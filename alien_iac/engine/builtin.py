"""The package `pulumi` itself: stack references, stashes, and looking up a resource by its URN."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from pulumi.runtime.proto import provider_pb2

from alien_iac.engine import urns, values
from alien_iac.engine.model import Properties, Resource
from alien_iac.engine.providers import Diff, Failures, Live, ProviderFailed
from alien_iac.errors import AlienError

STACK_REFERENCE = "pulumi:pulumi:StackReference"
STASH = "pulumi:index:Stash"


@dataclass(frozen=True)
class BuiltinProvider:
    """A Provider in this process. `lookup` finds a resource that the running update registered or read."""

    stack_outputs: Callable[[str], Properties] | None
    lookup: Callable[[str], Resource | None]

    def check(self, urn: str, old: Properties, new: Properties, seed: bytes) -> tuple[dict[str, Any], Failures]:  # noqa: ARG002 (the Protocol's)
        """Each type has exactly one input."""
        key = {STACK_REFERENCE: "name", STASH: "input"}.get(urns.type_of(urn))
        if key is None:
            raise ProviderFailed(f"unrecognized resource type '{urns.type_of(urn)}'")
        failures = [(k, f'unknown property "{k}"') for k in new if k != key]
        if key not in new:
            failures.append((key, f'missing required property "{key}"'))
        return dict(new), failures

    def diff(self, old: Resource, new: Properties, ignore: Sequence[str]) -> Diff:  # noqa: ARG002 (the Protocol's)
        """Another stack is another reference; a stash is updated."""
        changed = tuple(values.changed_keys(old.inputs, new))
        return Diff(bool(changed), changed, changed if old.type == STACK_REFERENCE else ())

    def create(self, new: Resource, *, preview: bool) -> Live:
        """Read the other stack, or put away what is to be kept."""
        identity = "" if preview else str(uuid4())
        if new.type == STASH:
            return Live(identity, {"input": new.inputs["input"], "output": new.inputs["input"]})
        return Live(identity, self._reference(new.inputs))

    def read(self, resource: Resource) -> Live:
        """Read the other stack again."""
        if resource.type != STACK_REFERENCE:
            return Live(resource.id, dict(resource.outputs), dict(resource.inputs))
        return Live(resource.id, self._reference(resource.inputs), dict(resource.inputs))

    def update(self, old: Resource, new: Resource, *, preview: bool) -> Live:  # noqa: ARG002 (the Protocol's)
        """A stash keeps its first value."""
        return Live(old.id, {"input": new.inputs["input"], "output": old.outputs["output"]})

    def delete(self, old: Resource) -> None:
        """Nothing is outside of the state."""

    def invoke(self, token: str, args: Properties, *, preview: bool) -> tuple[dict[str, Any], Failures]:  # noqa: ARG002 (the Protocol's)
        """`getResource` and `readStackOutputs`."""
        if token == "pulumi:pulumi:readStackOutputs":  # noqa: S105 (a function's token)
            return self._reference(args), []
        if token != "pulumi:pulumi:getResource":  # noqa: S105 (a function's token)
            raise ProviderFailed(f"unrecognized function name: '{token}'")
        found = self.lookup(str(args.get("urn")))
        if found is None:
            raise ProviderFailed(f"unknown resource {args.get('urn')}")
        return {"urn": found.urn, "id": found.id, "state": dict(found.outputs)}, []

    def call(self, request: provider_pb2.CallRequest) -> provider_pb2.CallResponse:
        """There is no method to call."""
        raise ProviderFailed(f"the builtin provider does not implement call ({request.tok})")

    def check_config(self, urn: str, old: Properties, new: Properties) -> tuple[dict[str, Any], Failures]:  # noqa: ARG002 (the Protocol's)
        """There is nothing to configure."""
        return {}, []

    def diff_config(self, urn: str, old: Resource, new: Properties) -> Diff:  # noqa: ARG002 (the Protocol's)
        """There is nothing to configure."""
        return Diff(changes=False)

    def configure(self, urn: str, identity: str, inputs: Properties) -> None:
        """There is nothing to configure."""

    def cancel(self) -> None:
        """Nothing takes time."""

    def _reference(self, inputs: Properties) -> dict[str, Any]:
        name = str(values.bare(inputs.get("name")))
        if self.stack_outputs is None:
            raise ProviderFailed(f"stack reference {name!r}: this update has no backend to read other stacks from")
        try:
            outputs = dict(self.stack_outputs(name))
        except AlienError as error:
            raise ProviderFailed(error.message) from error
        secret = sorted(k for k, v in outputs.items() if values.has_secret(v))
        return {"name": name, "outputs": outputs, "secretOutputNames": secret}
