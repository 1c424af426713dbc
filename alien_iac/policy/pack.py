"""The rules as a policy pack of Pulumi's: what `pulumi up --policy-pack` starts.

The CLI shows the pack every resource before it is made. The pack remembers what it was shown, so that a rule may look
at the component above a resource, and at the end at all of the stack.
"""

from collections.abc import Callable
from typing import Any

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from alien_iac.policy.model import Resource, Rule, Stack
from alien_iac.policy.rules import RULES

NAME = "alien-iac"
_REMEMBERS = "shown"


class Memory:
    """The resources that were shown so far."""

    def __init__(self) -> None:
        self._shown: dict[str, Resource] = {}

    def stack(self) -> Stack:
        """What is known, and the boundary that the deployment's config names."""
        return Stack(self._shown, pulumi.Config("alien").get("permissionsBoundary") or "")

    def take(self, args: ResourceValidationArgs, report: ReportViolation) -> None:  # noqa: ARG002 - the SDK's own shape
        """Keep what is shown. It is the pack's first policy, so that the others find it."""
        self._shown[args.urn] = _resource(args)


def start() -> None:
    """Serve the pack until the CLI ends it."""
    memory = Memory()
    first = ResourceValidationPolicy(_REMEMBERS, "Looks at every resource, and finds nothing wrong.", memory.take)
    PolicyPack(NAME, [first, *(_policy(rule, memory) for rule in RULES)], EnforcementLevel.MANDATORY)


def _policy(rule: Rule, memory: Memory) -> Policy:
    if rule.whole:
        return StackValidationPolicy(rule.name, rule.says, _whole(rule, memory))
    return ResourceValidationPolicy(rule.name, rule.says, _single(rule, memory))


def _single(rule: Rule, memory: Memory) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for how in rule.broken(_resource(args), memory.stack()):
            report(f"{args.name}: {how}", None)

    return validate


def _whole(rule: Rule, memory: Memory) -> Callable[[StackValidationArgs, ReportViolation], None]:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        stack = memory.stack()
        # What is there is what the CLI says; what it was asked for is what was shown, where it was.
        there = {each.urn: stack.resources.get(each.urn) or _resource(each) for each in args.resources}
        for resource in there.values():
            for how in rule.broken(resource, Stack(there, stack.boundary)):
                report(f"{resource.name}: {how}", resource.urn)

    return validate


def _resource(shown: Any) -> Resource:
    parent = shown.opts.parent or getattr(getattr(shown, "parent", None), "urn", "")
    return Resource(urn=shown.urn, type=shown.resource_type, name=shown.name, parent=parent or "", inputs=shown.props)
