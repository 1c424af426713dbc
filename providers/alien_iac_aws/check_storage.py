"""Storage: names that S3 keeps for itself, and ages in whole days."""

from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.models.arguments import DAY, StorageArguments
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac.models.units import parse_seconds
from alien_iac_aws import naming

_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_ENDS = ("-s3alias", "--ol-s3", "--x-s3", "--table-s3")


def check(stack: Stack, _: Mapping[str, Any]) -> Iterator[Finding]:
    """Every Storage."""
    for component in stack.components:
        if isinstance(component.arguments, StorageArguments) and stack.config is not None:
            name = naming.name(stack.config, "bucket", component.id)
            if name.startswith(_STARTS) or name.endswith(_ENDS):
                message = f'S3 keeps names such as "{name}" for itself'
                yield finding("AWS_NAME", component.id, message, "choose another id")
            yield from _age(component.id, component.arguments.expire_after)


def _age(resource: str, expire_after: str | None) -> Iterator[Finding]:
    if expire_after is not None and parse_seconds(expire_after) % DAY:
        days = -(-parse_seconds(expire_after) // DAY)
        yield finding("AWS_ROUNDED", resource, f'expire_after "{expire_after}" is {days}d: S3 counts whole days')
