"""The provider of our own plugin: what `local` is made of, and what no cloud's provider serves."""

import functools
from importlib.metadata import version

import pulumi

PACKAGE = "alien"


class AlienProvider(pulumi.ProviderResource):
    """The plugin. `local_dir`: the folder that the resources of `local` are kept to; others need none."""

    def __init__(
        self, name: str, opts: pulumi.ResourceOptions | None = None, *, local_dir: pulumi.Input[str] | None = None
    ) -> None:
        super().__init__(PACKAGE, name, {"localDir": local_dir} if local_dir is not None else {}, versioned(opts))


def versioned(opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """The options with the version of the plugin that is installed here, as every Pulumi SDK sets it."""
    return pulumi.ResourceOptions.merge(pulumi.ResourceOptions(version=_version()), opts)


@functools.cache
def _version() -> str:
    """Read once: it stands in a file, and every resource asks for it."""
    return version("alien-iac")
