"""The plugin's resources that bring code to a cloud: what the platforms write and the plugin acts on agrees here."""

ARTIFACT = "alien:index:Artifact"
"""Inputs: `path`, `sha256`, `url` (of the object), `identity`. One object in the customer's store. Output: `size`."""
IMAGE = "alien:index:Image"
"""Inputs: `source`, `sha256`, `base`, `repository`, `architecture`, `command`, `env`, `identity`. One image in the
customer's registry, with a `base` one of an artifact, and otherwise a copy. Outputs: `digest`, `reference`."""

APP = "/app"
"""Where an assembled image has the artifact's files; its command starts there."""
BASE = "docker.io/library/python@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b"
"""Python 3.13 (3.13.15-slim-trixie), for both architectures: what the files of an artifact are laid over."""
INSTALLED = ".python"
"""Folder in an artifact with the installed requirements; whoever starts the workload puts it on the module path."""
AZURE_INSTALLED = ".python_packages/lib/site-packages"
"""The same in an artifact for Azure Functions, whose host looks for them there."""


def requirements_folder(platform: str, kind: str) -> str:
    """The folder for requirements in the artifact of a Function or Container; empty for the artifact's root.

    Lambda knows of no other folder than the root.
    """
    of_functions = {"aws": "", "azure": AZURE_INSTALLED}
    return of_functions.get(platform, INSTALLED) if kind == "Function" else INSTALLED
