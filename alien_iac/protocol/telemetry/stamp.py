"""Whose telemetry it is: written by the receiver, over whatever the sender claims."""

from collections.abc import Iterable, Mapping, Sequence

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from alien_iac.protocol.telemetry import otlp
from alien_iac.protocol.telemetry.otlp import Request

DEPLOYMENT, CUSTOMER = "alien.deployment.id", "alien.customer"
RELEASE, PLATFORM, WORKLOAD = "alien.release", "alien.platform", "alien.workload"
SERVICE = "service.name"


def stamp(request: Request, facts: Sequence[Mapping[str, str]]) -> None:
    """Write each resource's facts into the request, in place: as many as it has resources."""
    for group, known in zip(otlp.groups(request), facts, strict=True):
        theirs = [each for each in group.resource.attributes if each.key not in known]
        del group.resource.attributes[:]
        group.resource.attributes.extend([*theirs, *_pairs(known)])


def fact(attributes: Iterable[KeyValue], key: str) -> str:
    """A fact that was written; empty where it was not."""
    return next((each.value.string_value for each in attributes if each.key == key), "")


def _pairs(facts: Mapping[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in facts.items()]
