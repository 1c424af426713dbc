"""Where a deployment runs. Apart from the models, so that it costs nothing to import."""

from enum import StrEnum


class Platform(StrEnum):
    """The values of `alien:platform`."""

    AWS = "aws"
    AZURE = "azure"
    GCP = "gcp"
    LOCAL = "local"
