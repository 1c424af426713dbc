"""What this platform cannot do, has no use for, or has no role for; read from the platform package's literal tables."""

from collections.abc import Iterator

from alien_iac.checks.arguments import did_you_mean
from alien_iac.checks.catalogue import finding
from alien_iac.models.declared import Declared, Stack
from alien_iac.models.finding import Finding


def check(stack: Stack) -> Iterator[Finding]:
    """Every component against the platform's tables."""
    if stack.config is None:
        return
    platform = stack.config.platform
    for component in stack.components:
        for feature in features(component):
            if reason := stack.support.unsupported.get(feature):
                yield finding("UNSUPPORTED", component.id, f"{platform} has no {feature}: {reason}")
            if reason := stack.support.ignored.get(feature):
                yield finding("IGNORED", component.id, f"{platform} has no use for {feature}: {reason}")
        yield from _transforms(stack, component)
        yield from _image(stack, component)


def features(component: Declared) -> Iterator[str]:
    """The names under which a platform's tables may speak of the component: its kind and what the author set."""
    yield component.kind
    for name in sorted(component.given):
        yield f"{component.kind}.{name}"
        yield f"{component.kind}.{name}={getattr(component.arguments, name)}"


def _transforms(stack: Stack, component: Declared) -> Iterator[Finding]:
    roles = stack.support.roles.get(component.kind, ())
    for role in component.transforms:
        if role not in roles:
            message = f'transform: a {component.kind} has no role "{role}" here'
            yield finding("TRANSFORM_UNKNOWN", component.id, message, did_you_mean(role, roles))


def _image(stack: Stack, component: Declared) -> Iterator[Finding]:
    workload = component.workload
    if not stack.support.image_needs_docker or workload is None or workload.image is None:
        return
    if workload.image_folder is not None:
        message = "an image is built from its folder where it goes to a registry, which is not here"
        yield finding("UNSUPPORTED", component.id, message, "give it a source, or an image by its name")
        return
    if not stack.docker:
        message = "it runs an image, and no Docker daemon answers on this machine"
        yield finding("IMAGE_NEEDS_DOCKER", component.id, message, "start Docker, or give it a source")
    served = sorted(link.resource for link in component.links if link.kind in _LOOPBACK)
    if component.kind == "Container" and (served or workload.commands):
        message = f"an image here does not reach {', '.join(served) or 'the agent'} on this machine's loopback"
        yield finding("IMAGE_LOOPBACK", component.id, message, "give it a source")


_LOOPBACK = ("Queue", "Function", "Container")
