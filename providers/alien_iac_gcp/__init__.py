"""The platform `gcp`: Cloud Run, Compute Engine, Cloud Storage, Firestore, Pub/Sub and Secret Manager.

Literal tables, read without importing an SDK; the builders are loaded by name.
"""

MAPPING = {
    "Checks": "alien_iac_gcp.checks:check",
    "Container": "alien_iac_gcp.container:build",
    "Function": "alien_iac_gcp.function:build",
    "Kv": "alien_iac_gcp.kv:build",
    "Offline": "alien_iac_gcp.offline:outputs",
    "Provider": "alien_iac_gcp.provider:make",
    "Queue": "alien_iac_gcp.queue:build",
    "Secret": "alien_iac_gcp.secret:build",
    "Storage": "alien_iac_gcp.storage:build",
}

UNSUPPORTED: dict[str, str] = {}
"""What depends on more than one argument is in `checks`."""

_X86 = "Cloud Run and the machines here are x86_64, and a source is packaged for that"

IGNORED = {
    "Container.architecture=arm64": _X86,
    "Function.architecture=arm64": _X86,
}

_MESSAGES = ("topic", "dead-topic", "dead-publisher", "subscription", "dead-mover", "dead-subscription")
_FRONT = (
    "address",
    "backend",
    "certificate",
    "endpoint-group",
    "http-proxy",
    "http-rule",
    "https-proxy",
    "https-rule",
    "redirect",
    "routes",
    "tls-policy",
)

ROLES = {
    "Container": (
        "service",
        "worker-pool",
        "image",
        "grants",
        "volumes",
        "template",
        "group",
        "instance",
        "internal-address",
        "health",
        "record",
        "firewall",
        *_FRONT,
    ),
    "Function": (
        "service",
        "image",
        "grants",
        "invokers",
        "schedules",
        "notices",
        "notices-publisher",
        *_MESSAGES,
        *_FRONT,
    ),
    "Kv": ("database", "ttl", "values"),
    "Queue": _MESSAGES,
    "Secret": ("secret", "value", "version"),
    "Storage": ("bucket", "public"),
}

RESERVED: tuple[str, ...] = ()
IMAGE_NEEDS_DOCKER = False

TYPES = ()
"""Type tokens of everything that is made here. Public, so that a renamed one needs an alias."""
