"""What a stack program asks for: one registration as plain data, and the resource that it would become."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from pulumi.runtime.proto import alias_pb2, resource_pb2, source_pb2

from alien_iac.engine import urns, values, wire
from alien_iac.engine.model import Properties, Resource
from alien_iac.errors import InvalidInput, Unsupported

CLI = "`alien doctor --install` installs the Pulumi CLI, which can do this"


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A resource as the program wants it. `None` in a switch means that the program does not say."""

    urn: str
    type: str
    name: str
    custom: bool
    inputs: Properties = field(default_factory=dict)
    parent: str = ""
    provider: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    protect: bool | None = None
    retain_on_delete: bool | None = None
    deleted_with: str = ""
    delete_before_replace: bool | None = None
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    replace_with: tuple[str, ...] = ()
    replacement_trigger: Any = None
    hide_diff: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[urns.Alias, ...] = ()
    custom_timeouts: Mapping[str, float] = field(default_factory=dict)
    source_position: str = ""

    def resource(self, old: Resource | None, alias: str) -> Resource:
        """The state that this registration leads to, before the provider has had its say."""
        more = {
            "replaceOnChanges": list(self.replace_on_changes),
            "replaceWith": list(self.replace_with),
            "replacementTrigger": self.replacement_trigger,
            "hideDiff": list(self.hide_diff),
        }
        return Resource(
            urn=self.urn,
            type=self.type,
            custom=self.custom,
            parent=self.parent,
            provider=self.provider,
            inputs=self.inputs,
            dependencies=self.dependencies,
            property_dependencies=self.property_dependencies,
            protect=bool(self.protect),
            retain_on_delete=bool(self.retain_on_delete),
            additional_secret_outputs=self.additional_secret_outputs,
            aliases=(alias,) if alias else (),
            ignore_changes=self.ignore_changes,
            deleted_with=self.deleted_with,
            custom_timeouts=self.custom_timeouts,
            created=old.created if old else "",
            modified=old.modified if old else "",
            source_position=self.source_position,
            rest={k: v for k, v in more.items() if v},
        )


def parse(
    request: resource_pb2.RegisterResourceRequest, namer: urns.Namer, above: Goal | None, *, program: Path, root: Path
) -> Goal:
    """A registration as the SDK sent it. `above`: the parent's goal, from which some options are inherited.

    Paths of assets are relative to the folder of the program, positions in the source to the root of the project.

    Raises Unsupported for what this engine leaves to the CLI, InvalidInput for what no engine could do.
    """
    refuse(request)
    inputs = wire.hashed(wire.properties(request.object), program)
    dependencies = dict.fromkeys(request.dependencies)
    per_key = {k: tuple(dict.fromkeys(v.urns)) for k, v in request.propertyDependencies.items()}
    if not per_key:
        per_key = dict.fromkeys(inputs, tuple(dependencies))
    for key, value in inputs.items():
        per_key[key] = tuple(dict.fromkeys((*per_key.get(key, ()), *values.dependencies(value))))
    return Goal(
        urn=namer.urn(request.parent, request.type, request.name),
        type=request.type,
        name=request.name,
        custom=request.custom,
        inputs=values.downgraded(inputs),
        parent=request.parent,
        dependencies=tuple(dependencies),
        property_dependencies=per_key,
        protect=_switch(request, "protect", above.protect if above else None),
        retain_on_delete=_switch(request, "retainOnDelete", above.retain_on_delete if above else None),
        deleted_with=request.deletedWith or (above.deleted_with if above else ""),
        delete_before_replace=request.deleteBeforeReplace
        if request.deleteBeforeReplaceDefined or request.deleteBeforeReplace
        else None,
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        replace_with=tuple(request.replace_with),
        replacement_trigger=values.downgraded(wire.plain(request.replacement_trigger)),
        hide_diff=tuple(request.hideDiffs),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        aliases=tuple(aliases(request.aliasURNs, request.aliases)),
        custom_timeouts=timeouts(request.customTimeouts),
        source_position=_position(request.sourcePosition, root),
    )


def refuse(request: resource_pb2.RegisterResourceRequest) -> None:
    """Raise Unsupported for options that only the CLI knows."""
    what = {
        "import": bool(request.importId),
        "transforms": bool(request.transforms),
        "hooks": request.HasField("hooks") and bool(request.hooks.ListFields()),
        "state migrations": bool(request.state_migrations),
        "remote components": request.remote,
        "envVarMappings": bool(request.envVarMappings),
    }
    for option in (name for name, used in what.items() if used):
        raise Unsupported(
            f"{request.type} resource {request.name!r}: the embedded engine does not support {option}", hint=CLI
        )


def aliases(whole: Iterable[str], specs: Iterable[alias_pb2.Alias]) -> Iterable[urns.Alias]:
    """Aliases in either form of the wire."""
    yield from (urns.Alias(urn=urn) for urn in whole)
    for one in specs:
        if one.WhichOneof("alias") == "urn":
            yield urns.Alias(urn=one.urn)
            continue
        spec = one.spec
        yield urns.Alias("", spec.name, spec.type, spec.stack, spec.project, spec.parentUrn, spec.noParent)


def timeouts(given: resource_pb2.RegisterResourceRequest.CustomTimeouts) -> dict[str, float]:
    """Custom timeouts in seconds, by operation."""
    named = {op: getattr(given, op) for op in ("create", "update", "delete", "read")}
    return {op: seconds(text) for op, text in named.items() if text}


def seconds(text: str) -> float:
    """A Go duration such as `1h30m` or `1.5s` in seconds. Raises InvalidInput."""
    unit = {"h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", text)
    if "".join(a + b for a, b in parts) != text or not parts:
        raise InvalidInput(f"custom timeout {text!r} is not a duration; write it as `90s`, `5m` or `1h30m`")
    return sum(timedelta(**{unit[u]: float(n)}).total_seconds() for n, u in parts)


def _switch(request: resource_pb2.RegisterResourceRequest, name: str, inherited: bool | None) -> bool | None:  # noqa: FBT001 (three states)
    return bool(getattr(request, name)) if request.HasField(name) else inherited


def _position(source: source_pb2.SourcePosition, root: Path) -> str:
    """Where in the program the resource is made, as the CLI writes it: relative to the project."""
    path = source.uri.removeprefix("file://")
    if not path or not Path(path).is_relative_to(root):
        return ""
    return f"project:///{Path(path).relative_to(root).as_posix()}#{source.line}" + (
        f",{source.column}" if source.column else ""
    )
