"""What a workload runs and how it is reached: arguments that need or exclude each other."""

from collections.abc import Iterator

from alien_iac.checks.catalogue import finding
from alien_iac.models.arguments import ContainerArguments, WorkloadArguments
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding


def check(stack: Stack) -> Iterator[Finding]:
    """Every workload."""
    for component in stack.components:
        if component.workload is None:
            continue
        # A source or image that could not be read at all has its own finding.
        if not any(f.message.startswith(("source", "image")) for f in component.findings):
            yield from _code(component.id, component.workload)
        yield from _reach(component.id, component.workload)
        if isinstance(component.workload, ContainerArguments):
            yield from _container(component.id, component.workload)


def _code(resource: str, arguments: WorkloadArguments) -> Iterator[Finding]:
    if arguments.source is None and arguments.image is None:
        yield finding("ARGUMENT_MISSING", resource, "it has neither source nor image", "give it one of the two")
    if arguments.source is not None and arguments.image is not None:
        yield finding("ARGUMENT_CONFLICT", resource, "it has both source and image", "keep one of the two")


def _reach(resource: str, arguments: WorkloadArguments) -> Iterator[Finding]:
    if arguments.domain is not None and not arguments.public:
        message = f'it has the domain "{arguments.domain}" and is not public'
        yield finding("ARGUMENT_CONFLICT", resource, message, "set public=True or take the domain out")


def _container(resource: str, arguments: ContainerArguments) -> Iterator[Finding]:
    if arguments.public and arguments.port is None:
        yield finding("ARGUMENT_MISSING", resource, "it is public and has no port", "say which port it listens on")
    if arguments.health is None:
        return
    if not arguments.health.startswith("/"):
        message = f'health "{arguments.health}" is not a path'
        yield finding("HEALTH_INVALID", resource, message, 'a path starts with a slash, such as "/health"')
    if arguments.health_path is None:
        message = "health is a path to ask over http, and this Container answers no http"
        yield finding("HEALTH_INVALID", resource, message, "take health out, or give it a port with protocol http")
