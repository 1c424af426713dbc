"""What one command works on: its folder, environment, project, backend, and the secrets of a Pulumi stack."""

import getpass
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from alien_iac.engine import checkpoint, dialect, secrets
from alien_iac.engine.arguments import Call
from alien_iac.engine.backend import Backend, StackName, open_backend, stack_not_found
from alien_iac.engine.config import StackConfig, load
from alien_iac.engine.model import Resource, Snapshot
from alien_iac.engine.project import Project, Selection, find, home, selection
from alien_iac.engine.secrets import Cipher, PassphraseCipher
from alien_iac.errors import InvalidInput, NotFound

ROOT = "pulumi:pulumi:Stack"


@dataclass
class Session:
    """One command while it runs. `out` and `err` take text of one or more lines."""

    folder: Path
    env: Mapping[str, str] = field(repr=False)
    keyring: secrets.Keyring = field(repr=False)
    out: Callable[[str], None]
    err: Callable[[str], None]

    no_cipher: ClassVar[Cipher] = secrets.Plain()

    @cached_property
    def project(self) -> Project:
        return find(self.folder)

    @property
    def project_name(self) -> str:
        """The name of the project around, or an empty string outside of any."""
        try:
            return self.project.name
        except NotFound:
            return ""

    @cached_property
    def backend(self) -> Backend:
        return open_backend(self._backend_url(), self.folder, self.env)

    @property
    def user(self) -> str:
        return getpass.getuser()

    @property
    def selection(self) -> Selection:
        return selection(self.project, self.backend.url, self.env)

    def name(self, text: str) -> StackName:
        """The stack that a text names, whether it exists or not."""
        name = self.backend.parse(text, self.project_name)
        if not name.project:
            self.project  # noqa: B018 - says that there is no project file here
        return name

    def stack(self, call: Call) -> StackName:
        """The stack that a command line names, or else the selected one. Raises NotFound where there is none."""
        text = call.stack or self.env.get("PULUMI_STACK") or self.selection.get()
        if not text:
            raise NotFound("no stack selected; please use `pulumi stack select` to choose one", pulumi_code=6)
        name = self.name(text)
        if not self.backend.exists(name):
            raise stack_not_found(text)
        return name

    def shown(self, name: StackName) -> str:
        return name.seen_from(self.project_name)

    def config(self, name: StackName, call: Call | None = None) -> StackConfig:
        """The stack's config file."""
        other = call.text("config-file") if call else ""
        path = self.folder / other if other else self.project.stack_file(name.stack)
        return load(path, self.project.name)

    def sealing(self, name: StackName, values: StackConfig) -> tuple[PassphraseCipher, StackConfig]:
        """The cipher of a stack's config. Where it has none yet, one is made and its salt line saved."""
        if values.salt:
            return self.keyring.of(values.salt, self.env), values
        if self.env.get("PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER", "").lower() in {"1", "true"}:
            salt = checkpoint.salt_of(self.latest(name))
            cipher = self.keyring.of(salt, self.env) if salt else self.keyring.new(self.env)
        else:
            cipher = self.keyring.new(self.env)
        values = replace(values, salt=cipher.salt)
        values.save()
        return cipher, values

    def opening(self, values: StackConfig) -> Cipher:
        """The cipher for reading a config; asked for only where something is sealed."""
        if not values.salt:
            raise InvalidInput(f"{values.path} has sealed values and no encryptionsalt to open them with")
        return self.keyring.of(values.salt, self.env)

    def latest(self, name: StackName) -> dict[str, Any]:
        """The stack's deployment as JSON; empty for a stack that has none."""
        body = self.backend.checkpoint(name)
        checkpoint.refuse_other_versions(body)
        latest: dict[str, Any] = (body.get("checkpoint") or {}).get("latest") or {}
        return latest

    def snapshot(self, deployment: Mapping[str, Any]) -> Snapshot:
        """The resources of a deployment, secrets in the clear."""
        return checkpoint.snapshot_of(deployment, lambda: self._state_cipher(deployment))

    def outputs(self, name: StackName, *, show_secrets: bool) -> dict[str, Any]:
        """The stack's own outputs with sealed values opened, or replaced by `[secret]` without needing a passphrase."""
        deployment = self.latest(name)
        for body in deployment.get("resources") or ():
            if body["type"] == ROOT and not body.get("delete"):
                if not show_secrets:
                    shown: dict[str, Any] = checkpoint.revealed(body.get("outputs") or {}, show_secrets=False)
                    return shown
                root: Resource = self.snapshot({**deployment, "resources": [body], "pending_operations": []}).resources[
                    0
                ]
                return dict(root.outputs)
        return {}

    def referenced(self, full_name: str) -> Mapping[str, Any]:
        """Outputs of another stack of this backend, for stack references. Raises NotFound."""
        name = self.name(full_name)
        if not self.backend.exists(name):
            raise NotFound(f"unknown stack {full_name!r}")
        return self.outputs(name, show_secrets=True)

    def _state_cipher(self, deployment: Mapping[str, Any]) -> Cipher:
        salt = checkpoint.salt_of(deployment)
        if not salt:
            raise InvalidInput("the state has sealed values and names no secrets provider to open them with")
        return self.keyring.of(salt, self.env)

    def _backend_url(self) -> str:
        if url := self.env.get("PULUMI_BACKEND_URL"):
            return url
        try:
            declared = (self.project.settings.get("backend") or {}).get("url")
        except NotFound:
            declared = None
        credentials = home(self.env) / "credentials.json"
        if not declared and credentials.is_file():
            declared = dialect.parse(credentials.read_bytes(), str(credentials)).get("current")
        if not declared:
            raise InvalidInput(
                "no backend is chosen: set PULUMI_BACKEND_URL=file://FOLDER, or `backend: {url: file://FOLDER}` "
                "in Pulumi.yaml"
            )
        return str(declared)
