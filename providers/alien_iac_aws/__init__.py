"""The platform `aws`: Lambda, ECS Fargate, S3, DynamoDB, SQS and Secrets Manager in the customer's own account.

Literal tables, read without importing an SDK; the builders are loaded by name.
"""

MAPPING = {
    "Checks": "alien_iac_aws.checks:check",
    "Container": "alien_iac_aws.container:build",
    "Function": "alien_iac_aws.function:build",
    "Kv": "alien_iac_aws.kv:build",
    "Offline": "alien_iac_aws.offline:outputs",
    "Provider": "alien_iac_aws.provider:make",
    "Queue": "alien_iac_aws.queue:build",
    "Secret": "alien_iac_aws.secret:build",
    "Storage": "alien_iac_aws.storage:build",
}

UNSUPPORTED: dict[str, str] = {}

IGNORED: dict[str, str] = {}

ROLES = {
    "Container": ("service",),
    "Function": (
        "function",
        "role",
        "policies",
        "logs",
        "failures",
        "failures-policy",
        "failure-destination",
        "mappings",
        "schedules",
        "schedule-role",
        "schedule-policies",
        "rules",
        "targets",
        "permissions",
        "url",
        "url-permissions",
        "security-group",
        "egress",
        "ingress",
        "artifact",
        "repository",
        "repository-policy",
        "image",
    ),
    "Kv": ("table",),
    "Queue": ("queue", "dead-letters", "redrive", "redrive-allow", "policy", "dead-letters-policy"),
    "Secret": ("secret",),
    "Storage": (
        "bucket",
        "ownership",
        "public-access-block",
        "encryption",
        "versioning",
        "lifecycle",
        "policy",
        "notification",
    ),
}

RESERVED: tuple[str, ...] = ()
IMAGE_NEEDS_DOCKER = False
