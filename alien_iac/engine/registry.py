"""Providers by their resources in the state: started and configured when first needed, each once."""

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import grpc

from alien_iac.engine import plugins, steps, urns, wire
from alien_iac.engine.model import UNKNOWN, Properties, Resource
from alien_iac.engine.providers import Diff, Failures, PluginProvider, Provider, config
from alien_iac.errors import AlienError

Inside = Callable[[str], Provider]
"""A provider in this process, of a package by its name."""


@dataclass(frozen=True, kw_only=True)
class Launcher:
    """Starts the plugin of a package. `warn` hears which plugins were found on PATH, `log` what they print."""

    named: Mapping[str, Path]
    env: Mapping[str, str]
    folder: Path
    engine: str
    log: Callable[[str], None]
    warn: Callable[[str], None]
    ahead: plugins.Ahead = field(default_factory=plugins.Ahead)

    def begin(self, package: str, version: str) -> None:
        """Start a plugin that will most likely be asked for. Whatever fails is said when it is asked for."""
        with contextlib.suppress(AlienError):
            found = plugins.find(package, version, self.named, self.env)
            self.ahead.begin(found, lambda: self._process(found))

    def start(self, package: str, version: str) -> PluginProvider:
        """A fresh plugin process, not yet configured. Raises Missing or Unavailable."""
        found = plugins.find(package, version, self.named, self.env)
        if found.ambient:
            self.warn(f"using pulumi-resource-{package} from $PATH at {found.command[0]}")
        plugin = self.ahead.take(found) or self._process(found)
        provider = PluginProvider(grpc.insecure_channel(f"127.0.0.1:{plugin.port}", wire.OPTIONS), plugin.end)
        try:
            provider.handshake(self.engine)
        except AlienError:
            provider.end()
            raise
        return provider

    def _process(self, found: plugins.Found) -> plugins.Plugin:
        return plugins.start(found, self.engine, self.env, self.folder, self.log)


@dataclass
class _Entry:
    """One provider resource: how to get it, and the provider once it was needed."""

    urn: str
    identity: str
    inputs: Properties
    provider: Provider | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Registry:
    """All providers of one update. `builtin` serves the package `pulumi`, and `inside`, where given, all others."""

    def __init__(self, launcher: Launcher, builtin: Provider, inside: Inside | None = None) -> None:
        self._launcher, self._builtin, self._inside = launcher, builtin, inside
        self._entries: dict[str, _Entry] = {}
        self._checked: dict[str, Provider] = {}
        self._started: list[PluginProvider] = []
        self._lock = threading.Lock()

    def begin(self, resources: Sequence[Resource]) -> None:
        """Start the plugins that will be asked about resources of the state even if nothing changes."""
        asked = {r.provider for r in resources if r.custom and r.provider and not steps.is_same(r, r)}
        for each in resources:
            if urns.is_provider(each.type) and urns.reference(each.urn, each.id) in asked:
                self._launcher.begin(urns.package_of(each.type), str(each.inputs.get("version") or ""))

    def same(self, resource: Resource) -> None:
        """Make a provider resource of the state usable. Starts nothing yet."""
        with self._lock:
            ref = urns.reference(resource.urn, resource.id)
            provider = self._checked.pop(resource.urn, None)
            entry = self._entries.setdefault(ref, _Entry(resource.urn, resource.id, config(resource.inputs)))
        if provider is not None and entry.provider is None:
            provider.configure(entry.urn, entry.identity, entry.inputs)
            entry.provider = provider

    def get(self, ref: str) -> Provider | None:
        """The configured provider of a reference, started if need be. None if no such resource was seen."""
        entry = self._entries.get(ref)
        if entry is None:
            return None
        with entry.lock:
            if entry.provider is None:
                provider = self._start(entry.urn, entry.inputs)
                provider.configure(entry.urn, entry.identity, entry.inputs)
                entry.provider = provider
        return entry.provider

    def check(self, urn: str, old: Properties, new: Properties) -> tuple[Properties, Failures]:
        """Start a provider for a registration and let it check its configuration."""
        provider = self._checked[urn] = self._start(urn, new)
        inputs, failures = provider.check_config(urn, config(old), config(new))
        kept = {k: new[k] for k in ("__internal", "version") if k in new}
        return {**inputs, **kept}, failures

    def diff(self, old: Resource, urn: str, new: Properties) -> Diff:
        """What a change of a provider's configuration means. Where it cannot tell, any change is an update."""
        provider = self._checked.get(urn) or self.get(urns.reference(old.urn, old.id))
        said = provider.diff_config(urn, old, config(new)) if provider else Diff(None)
        return Diff(dict(old.outputs) != config(new)) if said.changes is None else said

    def make(self, new: Resource, identity: str, *, preview: bool) -> str:
        """Configure a provider that was checked, under its id (empty: a new one). Returns the id."""
        identity = identity or (UNKNOWN if preview else str(uuid4()))
        inputs = config(new.inputs)
        provider = self._checked.pop(new.urn, None) or self._start(new.urn, new.inputs)
        provider.configure(new.urn, identity, inputs)
        with self._lock:
            self._entries[urns.reference(new.urn, identity)] = _Entry(new.urn, identity, inputs, provider)
        return identity

    def alias(self, ref: str, old_ref: str) -> None:
        """Let a renamed provider be found under the reference that old resources have."""
        with self._lock:
            if ref in self._entries:
                self._entries[old_ref] = self._entries[ref]

    def cancel(self) -> None:
        """Ask every running plugin to end what it is doing."""
        with self._lock:
            running = list(self._started)
        for provider in running:
            provider.cancel()

    def close(self) -> None:
        """End every plugin."""
        with self._lock:
            running, self._started = self._started, []
        for provider in running:
            provider.end()
        self._launcher.ahead.end()

    def _start(self, urn: str, inputs: Properties) -> Provider:
        package = urns.package_of(urns.type_of(urn))
        if package == "pulumi":
            return self._builtin
        if self._inside is not None:
            return self._inside(package)
        provider = self._launcher.start(package, str(inputs.get("version") or ""))
        with self._lock:
            self._started.append(provider)
        return provider
