"""The plugin's resources that bring code to a cloud: what the platforms write and the plugin acts on agrees here."""

ARTIFACT = "alien:index:Artifact"
"""Inputs: `path`, `sha256`, `url` (of the object), `identity`. One object in the customer's store. Output: `size`."""
IMAGE = "alien:index:Image"
"""Inputs: `source`, `sha256`, `base`, `repository`, `architecture`, `command`, `env`, `identity`. One image in the
customer's registry, with a `base` one of an artifact, and otherwise a copy. Outputs: `digest`, `reference`."""

APP = "/app"
"""Where an assembled image has the artifact's files; its command starts there."""
