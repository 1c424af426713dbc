"""The custom resources of the plugin `alien` that `local` is made of. Inputs are those of `protocol.local`."""

from collections.abc import Mapping
from typing import Any

import pulumi

from alien_iac.protocol import local
from alien_iac.resources.plugin import versioned


class Directory(pulumi.CustomResource):
    """A folder."""

    path: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, *, path: pulumi.Input[str]) -> None:
        super().__init__(local.DIRECTORY, name, {"path": path}, versioned(opts))


class KvFile(pulumi.CustomResource):
    """A SQLite file with values by key, in a folder of its own."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, *, data_dir: pulumi.Input[str]) -> None:
        super().__init__(local.KV, name, {"dataDir": data_dir}, versioned(opts))


class QueueFile(pulumi.CustomResource):
    """A SQLite file with messages, and the file with the token that the broker expects for it."""

    def __init__(self, resource_name: str, opts: pulumi.ResourceOptions | None = None, **props: Any) -> None:
        super().__init__(local.QUEUE, resource_name, _camel(props), versioned(opts))


class SecretFile(pulumi.CustomResource):
    """An encrypted file."""

    def __init__(self, resource_name: str, opts: pulumi.ResourceOptions | None = None, **props: Any) -> None:
        super().__init__(local.SECRET, resource_name, _camel(props), versioned(opts))


class Process(pulumi.CustomResource):
    """A supervised process."""

    port: pulumi.Output[int]
    url: pulumi.Output[str]
    pid: pulumi.Output[int]

    def __init__(self, resource_name: str, opts: pulumi.ResourceOptions | None = None, **props: Any) -> None:
        outputs = dict.fromkeys(("port", "url", "pid"))
        super().__init__(local.PROCESS, resource_name, {**outputs, **_camel(props)}, versioned(opts))


def _camel(props: Mapping[str, Any]) -> dict[str, Any]:
    """Keywords as the plugin names its inputs: `code_hash` -> `codeHash`."""
    words = {name: name.split("_") for name in props}
    return {"".join([w[0], *(part.title() for part in w[1:])]): props[name] for name, w in words.items()}
