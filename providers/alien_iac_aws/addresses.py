"""Zones and address ranges of a deployment's own network, planned from its region and its prefix."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

_WORDS: Mapping[str, str] = {
    "central": "c",
    "east": "e",
    "gov": "g",
    "north": "n",
    "northeast": "ne",
    "northwest": "nw",
    "south": "s",
    "southeast": "se",
    "southwest": "sw",
    "west": "w",
}
_ZONES = (1, 2)
_OTHER_ZONES: Mapping[str, tuple[int, int]] = {"us-west-1": (1, 3)}
"""Regions in which Fargate does not run in the first two zones."""
_NAMED = "eusc-"
"""Regions whose zones have the same names in every account, and no known ids."""


@dataclass(frozen=True, kw_only=True)
class Zone:
    """One zone of the network, with a public and a private range."""

    zone: Mapping[str, str]
    """How EC2 is told which zone: by its id, which is the same in every account."""
    public: str
    private: str


def network_range(prefix: str) -> IPv4Network:
    """The /16 of a deployment: spread over 10.0.0.0/8, so that two deployments seldom meet when they are peered."""
    second = hashlib.sha256(prefix.encode()).digest()[0]
    return IPv4Network(f"10.{second}.0.0/16")


def zones(region: str, prefix: str) -> tuple[Zone, Zone]:
    """The two zones: 256 public addresses each, and 4,096 private ones."""
    whole = network_range(prefix)
    public, private = list(whole.subnets(new_prefix=24)), list(whole.subnets(new_prefix=20))
    first, second = _zones(region)
    return (
        Zone(zone=first, public=str(public[0]), private=str(private[1])),
        Zone(zone=second, public=str(public[1]), private=str(private[2])),
    )


def _zones(region: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    if region.startswith(_NAMED):
        return {"availability_zone": f"{region}a"}, {"availability_zone": f"{region}b"}
    area, *words, number = region.split("-")
    short = f"{area}{''.join(_WORDS.get(word, word) for word in words)}{number}"
    first, second = _OTHER_ZONES.get(region, _ZONES)
    return {"availability_zone_id": f"{short}-az{first}"}, {"availability_zone_id": f"{short}-az{second}"}
