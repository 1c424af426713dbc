"""The platform `local`: folders, SQLite files, encrypted files and supervised processes on this machine.

Literal tables, read without importing anything; the builders are loaded by name.
"""

MAPPING = {
    "Container": "alien_iac_local.container:build",
    "Function": "alien_iac_local.function:build",
    "Kv": "alien_iac_local.kv:build",
    "Provider": "alien_iac_local.provider:make",
    "Queue": "alien_iac_local.queue:build",
    "Secret": "alien_iac_local.secret:build",
    "Storage": "alien_iac_local.storage:build",
}

UNSUPPORTED: dict[str, str] = {}

_ONE_MACHINE = "everything runs on this machine, behind loopback"
_NO_LIMIT = "a process here is not limited"

IGNORED = {
    "Container.architecture": "a source runs on this machine's own",
    "Container.cpu": _NO_LIMIT,
    "Container.domain": _ONE_MACHINE,
    "Container.memory": _NO_LIMIT,
    "Container.network": _ONE_MACHINE,
    "Container.scale": "a Container is one process here",
    "Function.architecture": "a source runs on this machine's own",
    "Function.domain": _ONE_MACHINE,
    "Function.memory": _NO_LIMIT,
    "Function.network": _ONE_MACHINE,
    "Storage.expire_after": "objects are files here, and stay",
    "Storage.public_read": _ONE_MACHINE,
    "Storage.versioned": "objects are files here, without versions",
}

ROLES = {
    "Container": ("process", "volumes"),
    "Function": ("process",),
    "Kv": ("file",),
    "Queue": ("file",),
    "Secret": ("file",),
    "Storage": ("directory",),
}

RESERVED = ("queue-broker",)
IMAGE_NEEDS_DOCKER = True
