"""Resources of our own plugin for the clouds: bytes in the customer's store, images in the customer's registry.

They bring their provider along, since the pinned one of a cloud serves its own types only. The plugin acts with the
identity that the engine's process has there; `identity` says more where that is not enough (`roleArn` and `externalId`,
`impersonateServiceAccount`, `clientId`).
"""

from collections.abc import Mapping, Sequence

import pulumi

from alien_iac.protocol import code
from alien_iac.resources import planner
from alien_iac.resources.plugin import PACKAGE, versioned


class Artifact(pulumi.CustomResource):
    """A file's bytes as one object in the customer's store, with the store's own URL (`s3://`, `gs://`, `az://`).

    A `url` that ends with `/` names a folder of this workload's own, in which the object is named by its content: then
    new content is a new object, and the old one goes when nobody uses it any more. Otherwise it is written over.
    """

    url: pulumi.Output[str]
    """Of the object itself."""
    size: pulumi.Output[int]

    def __init__(  # noqa: PLR0913 - its inputs, all by keyword
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        path: pulumi.Input[str],
        sha256: pulumi.Input[str],
        url: pulumi.Input[str],
        identity: Mapping[str, pulumi.Input[str]] | None = None,
    ) -> None:
        place = pulumi.Output.all(url, sha256).apply(lambda both: _object_url(both[0], both[1]))
        props = {"path": path, "sha256": sha256, "url": place, "identity": identity, "size": None}
        super().__init__(code.ARTIFACT, resource_name, props, _served(opts))


class Image(pulumi.CustomResource):
    """An OCI image in the customer's registry.

    Without `base`, `source` is an image by digest (`docker.io/library/redis@sha256:…`), which is copied. With a `base`
    image by digest, `source` is the path of an artifact: its files go to `/app` in one layer over the base, and
    `command` starts there. Of an image for several architectures, the one of `architecture` is taken. `repository` has
    neither tag nor digest, and belongs to one workload alone: an image that is not used any more is deleted from it.
    """

    digest: pulumi.Output[str]
    """`sha256:…` of the manifest."""
    reference: pulumi.Output[str]
    """`repository@digest`, to run it by."""

    def __init__(  # noqa: PLR0913 - its inputs, all by keyword
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        source: pulumi.Input[str],
        repository: pulumi.Input[str],
        base: pulumi.Input[str] | None = None,
        sha256: pulumi.Input[str] | None = None,
        architecture: pulumi.Input[str] = "x86_64",
        command: Sequence[pulumi.Input[str]] | None = None,
        env: Mapping[str, pulumi.Input[str]] | None = None,
        identity: Mapping[str, pulumi.Input[str]] | None = None,
    ) -> None:
        """`sha256`: of the artifact; of an image to be copied it is in its reference."""
        content = sha256 if sha256 is not None else pulumi.Output.from_input(source).apply(_content)
        props = {
            "source": source,
            "sha256": content,
            "base": base,
            "repository": repository,
            "architecture": architecture,
            "command": command,
            "env": env,
            "identity": identity,
            "digest": None,
            "reference": None,
        }
        super().__init__(code.IMAGE, resource_name, props, _served(opts))


def _served(opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """The options with the plugin's provider, unless they have one of it."""
    given = versioned(opts)
    if given.provider is None or given.provider.package != PACKAGE:
        given.provider = planner.current().plugin()
    return given


def _object_url(url: str, sha256: str) -> str:
    return f"{url}{sha256}.zip" if url.endswith("/") else url


def _content(reference: str) -> str:
    """What a reference by digest names; whatever else is refused by the plugin."""
    return reference.rpartition("@sha256:")[2] if "@sha256:" in reference else ""
