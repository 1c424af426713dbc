"""The environment that a workload starts in: the names of its variables, on every platform the same.

The names of bindings and of the receiver's variables (`ALIEN_COMMANDS_…`) are those that the public `alienplatform`
SDKs read.
"""

import re

DEPLOYMENT_TYPE = "ALIEN_DEPLOYMENT_TYPE"
"""The platform: aws, gcp, azure or local."""
DEPLOYMENT_ID = "ALIEN_DEPLOYMENT_ID"
RESOURCE_ID = "ALIEN_RESOURCE_ID"
"""The workload's own id in the stack program."""
RESOURCE_TYPE = "ALIEN_RESOURCE_TYPE"
"""`worker` for a Function, `container` for a Container."""
RELEASE = "ALIEN_RELEASE"
"""The release's version that this copy of the workload belongs to; `unreleased` under a plain `pulumi up`."""
TIMEOUT_SECONDS = "ALIEN_TIMEOUT_SECONDS"
"""A Function's timeout in whole seconds."""
CONCURRENCY = "ALIEN_CONCURRENCY"
"""How many messages of one queue a copy of a Function works on at once; ten where it is unset."""
TRIGGERS = "ALIEN_TRIGGERS"
"""JSON list of `models.triggers.Trigger`: what starts this workload's handlers."""
STATE_DIR = "ALIEN_STATE_DIR"
"""On `local`: a folder of the workload's own that outlives its restarts and releases."""
TOKEN_FILE = "ALIEN_WORKLOAD_TOKEN_FILE"  # noqa: S105 - a variable's name
"""File with the workload's token: it shows it to the agent, and expects it from whoever invokes it."""
AGENT_URL = "ALIEN_AGENT_URL"
"""Base URL of the agent (without `/v1`); unset where no agent runs."""
OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""Where the workload's telemetry goes, by the names that every OpenTelemetry SDK reads."""
OTLP_HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
OTLP_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
OTLP_SERVICE = "OTEL_SERVICE_NAME"
PORT = "PORT"
COMMANDS_URL = "ALIEN_COMMANDS_URL"
COMMANDS_TOKEN_FILE = "ALIEN_COMMANDS_TOKEN_FILE"  # noqa: S105 - a variable's name
COMMANDS_TOKEN_SECRET = "ALIEN_COMMANDS_TOKEN_SECRET"  # noqa: S105 - a variable's name
"""On a cloud: the id of the linked Secret that holds the token, which no variable ever does."""
COMMANDS_TARGET_ID = "ALIEN_COMMANDS_TARGET_RESOURCE_ID"
COMMANDS_TARGET_TYPE = "ALIEN_COMMANDS_TARGET_RESOURCE_TYPE"

RESERVED = re.compile(r"ALIEN_.*|PORT")
"""Names that a vendor's own `env` may not set."""


def binding_name(resource_id: str) -> str:
    """The variable that tells a workload about the resource it is linked to: `files` -> `ALIEN_FILES_BINDING`."""
    return f"ALIEN_{resource_id.replace('-', '_').upper()}_BINDING"


def volume_name(mount_path: str) -> str:
    """The variable with a volume's real path: `/meili_data` -> `ALIEN_VOLUME_MEILI_DATA`."""
    return "ALIEN_VOLUME_" + re.sub(r"[^A-Z0-9]+", "_", mount_path.upper()).strip("_")
