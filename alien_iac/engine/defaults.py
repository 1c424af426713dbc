"""Default providers: made by the engine, one a package and version, for resources that name no provider."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semver import Version

from alien_iac.engine import urns, values
from alien_iac.engine.goals import Goal
from alien_iac.engine.model import Properties, Request, Resource
from alien_iac.errors import InvalidInput

DENIED = "denied"
"""The reference that stands for a default provider which config forbids."""


@dataclass(frozen=True)
class Package:
    """Which plugin serves a package, as a program asks for it."""

    name: str
    version: str = ""
    url: str = ""


class DefaultProviders:
    """The default providers of one update."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._made: dict[Package, str] = {}
        self._known = _versions(request.snapshot.resources)

    def find(self, wanted: Package) -> str:
        """The reference of a provider that is there already, or DENIED; empty if it has to be made."""
        return DENIED if self._denied(wanted.name) else self._made.get(self._exact(wanted), "")

    def remember(self, wanted: Package, made: Resource) -> str:
        """Keep a provider that was made. Returns its reference."""
        ref = self._made[self._exact(wanted)] = urns.reference(made.urn, made.id)
        return ref

    def goal(self, wanted: Package, namer: urns.Namer) -> Goal:
        """The registration of a default provider, configured by `NAME:*` of the stack's config."""
        exact = self._exact(wanted)
        kind = f"{urns.PROVIDERS}{exact.name}"
        name = "_".join(["default", *_words(exact.version), *_words(exact.url)])
        inputs: dict[str, Any] = {}
        for key, value in self._request.config.items():
            package, _, short = key.partition(":")
            if package == exact.name and exact.name != "pulumi":
                inputs[short] = values.secret(value) if key in self._request.secret_keys else value
        urn = namer.urn("", kind, name)
        return Goal(urn=urn, type=kind, name=name, custom=True, inputs=self.with_plugin(inputs, exact))

    def with_plugin(self, inputs: Properties, wanted: Package) -> dict[str, Any]:
        """A provider's inputs with what says which plugin serves it."""
        exact = self._exact(wanted)
        internal = {"pluginDownloadURL": exact.url} if exact.url else {}
        found = dict(inputs)
        if exact.version or exact.url:
            found["__internal"] = {**(found.get("__internal") or {}), **internal}
        if exact.version:
            found["version"] = exact.version
        return found

    def _exact(self, wanted: Package) -> Package:
        """The package in the version that the state has, where the program names none."""
        return Package(wanted.name, wanted.version or self._known.get(wanted.name, ""), wanted.url)

    def _denied(self, package: str) -> bool:
        text = self._request.config.get("pulumi:disable-default-providers", "")
        try:
            barred = json.loads(text) if text else []
        except json.JSONDecodeError as error:
            raise InvalidInput(f"config pulumi:disable-default-providers: {text!r} is no JSON list") from error
        return package != "pulumi" and any(one.strip() in ("*", package) for one in barred)


def _versions(resources: tuple[Resource, ...]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for resource in resources:
        version = str(resource.inputs.get("version") or "")
        if urns.is_provider(resource.type) and version:
            package = urns.package_of(resource.type)
            found[package] = max(found.get(package, version), version, key=_order)
    return found


def _order(version: str) -> Version:
    return Version.parse(version) if Version.is_valid(version) else Version(0)


def _words(text: str) -> list[str]:
    """A text in the characters that a resource's name may have."""
    kept = "".join(c if c.isalnum() else " " for c in text)
    return kept.split()
