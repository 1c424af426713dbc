"""The platform `azure`: Functions on Flex Consumption, Container Apps, Blob and Table Storage, Service Bus, Key Vault.

Literal tables, read without importing an SDK; the builders are loaded by name.
"""

MAPPING = {
    "Checks": "alien_iac_azure.checks:check",
    "Container": "alien_iac_azure.container:build",
    "Function": "alien_iac_azure.function:build",
    "Kv": "alien_iac_azure.kv:build",
    "Offline": "alien_iac_azure.offline:outputs",
    "Provider": "alien_iac_azure.provider:make",
    "Queue": "alien_iac_azure.queue:build",
    "Secret": "alien_iac_azure.secret:build",
    "Storage": "alien_iac_azure.storage:build",
}

UNSUPPORTED: dict[str, str] = {}
"""What depends on more than one argument is in `checks`."""

_X86 = "Functions and Container Apps run on x86_64, and a source is packaged for that"

IGNORED = {
    "Container.architecture=arm64": _X86,
    "Function.architecture=arm64": _X86,
}

ROLES = {
    "Container": (
        "app",
        "identity",
        "grants",
        "image",
        "accounts",
        "account-settings",
        "volumes",
        "mounts",
        "certificate",
    ),
    "Function": (
        "app",
        "identity",
        "grants",
        "plan",
        "host",
        "code-container",
        "host-grant",
        "code",
        "ftp",
        "scm",
        "logs",
        "auth",
        "events-queues",
        "subscriptions",
        "image",
        "jobs",
        "certificate",
    ),
    "Kv": ("account", "table"),
    "Queue": ("queue",),
    "Secret": ("vault", "audit", "value"),
    "Storage": ("account", "container", "settings", "lifecycle", "events-identity", "events"),
}

RESERVED: tuple[str, ...] = ()
IMAGE_NEEDS_DOCKER = False
