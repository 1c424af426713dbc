"""A provider without a cloud: it says yes to whatever the program wants, and makes up what only a cloud could say."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi.runtime.proto import provider_pb2

from alien_iac.engine import urns, values
from alien_iac.engine.model import Properties, Resource
from alien_iac.engine.providers import Diff, Failures, Live, ProviderFailed
from alien_iac.review.answers import FILE, Answers

Outputs = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]
"""Type, logical name and inputs of a resource to its outputs beside them; an `id` among these is its own."""


@dataclass(frozen=True)
class OfflineProvider:
    """Serves every package of a review. `known`: the types whose outputs are made up by `outputs`."""

    outputs: Outputs
    known: Collection[str]
    answers: Answers

    def check(self, urn: str, old: Properties, new: Properties, seed: bytes) -> tuple[dict[str, Any], Failures]:  # noqa: ARG002 (the Protocol's)
        """Only a type that nothing is known of is refused."""
        kind = urns.type_of(urn)
        if kind not in self.known and kind not in self.answers.resources:
            raise ProviderFailed(
                f"{kind} ({urns.name_of(urn)}) is not known to the review: put the outputs that your program reads of "
                f"it under `resources` in {FILE}, or `{{}}`"
            )
        return dict(new), []

    def diff(self, old: Resource, new: Properties, ignore: Sequence[str]) -> Diff:  # noqa: ARG002 (the Protocol's)
        """There is no old state."""
        return Diff(changes=False)

    def create(self, new: Resource, *, preview: bool) -> Live:  # noqa: ARG002 (the Protocol's)
        """The inputs, and what is made up beside them."""
        logical = urns.name_of(new.urn)
        inputs: dict[str, Any] = values.bare(dict(new.inputs))
        made = {**self.outputs(new.type, logical, inputs), **self.answers.resources.get(new.type, {})}
        identity = made.pop("id", f"{logical}-id")
        return Live(identity, {**new.inputs, **made})

    def read(self, resource: Resource) -> Live:
        """What is there already is what the answers say of its type."""
        return Live(resource.id, {**resource.inputs, **self.answers.resources.get(resource.type, {})})

    def update(self, old: Resource, new: Resource, *, preview: bool) -> Live:  # noqa: ARG002 (the Protocol's)
        """There is no old state."""
        return Live(old.id, dict(new.inputs))

    def delete(self, old: Resource) -> None:
        """There is no old state."""

    def invoke(self, token: str, args: Properties, *, preview: bool) -> tuple[dict[str, Any], Failures]:  # noqa: ARG002 (the Protocol's)
        """What the customer's account would say, from the answers."""
        given = self.answers.invokes.get(token)
        found = given if given is not None else self.outputs(token, "", values.bare(dict(args)))
        if given is None and not found:
            raise ProviderFailed(f"{token} has no answer: put one under `invokes` in {FILE}")
        return dict(found), []

    def call(self, request: provider_pb2.CallRequest) -> provider_pb2.CallResponse:
        """There are no methods to call."""
        raise ProviderFailed(f"the method {request.tok} cannot be called in a review")

    def check_config(self, urn: str, old: Properties, new: Properties) -> tuple[dict[str, Any], Failures]:  # noqa: ARG002 (the Protocol's)
        """Every configuration is right."""
        return dict(new), []

    def diff_config(self, urn: str, old: Resource, new: Properties) -> Diff:  # noqa: ARG002 (the Protocol's)
        """There is no old state."""
        return Diff(changes=False)

    def configure(self, urn: str, identity: str, inputs: Properties) -> None:
        """There is nothing to configure."""

    def cancel(self) -> None:
        """Nothing takes time."""
