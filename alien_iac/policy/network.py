"""What the internet may open a connection to: the ports of the web, and no other."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alien_iac.policy.model import Resource, Rule, Stack, items

_EVERYWHERE = frozenset({"0.0.0.0/0", "::/0", "*", "Internet", "Any", "0.0.0.0"})  # noqa: S104 - nothing binds to it
_WEB = frozenset({"80", "443"})
_PROBED = frozenset({"31080", "31443"})
"""Where the load balancer of Azure Container Apps asks an environment on the internet for its health."""


def _rule(resource: Resource, _: Stack) -> Iterator[str]:
    given = resource.inputs
    where = [value for key in ("cidrIpv4", "cidrIpv6") for value in items(given.get(key))]
    yield from _opened(where, _ports(given))


def _old_rule(resource: Resource, _: Stack) -> Iterator[str]:
    given = resource.inputs
    if given.get("type") == "ingress":
        where = [value for key in ("cidrBlocks", "ipv6CidrBlocks") for value in items(given.get(key))]
        yield from _opened(where, _ports(given))


def _group(resource: Resource, _: Stack) -> Iterator[str]:
    for each in items(resource.inputs.get("ingress")):
        where = [value for key in ("cidrBlocks", "ipv6CidrBlocks") for value in items(each.get(key))]
        yield from _opened(where, _ports(each))


def _firewall(resource: Resource, _: Stack) -> Iterator[str]:
    given = resource.inputs
    if given.get("direction", "INGRESS") != "INGRESS" or given.get("disabled") is True:
        return
    for each in items(given.get("allows")):
        yield from _opened(items(given.get("sourceRanges")), items(each.get("ports")) or ("*",))


def _azure_group(resource: Resource, _: Stack) -> Iterator[str]:
    for each in items(resource.inputs.get("securityRules")):
        yield from _azure(each)


def _azure_rule(resource: Resource, _: Stack) -> Iterator[str]:
    yield from _azure(resource.inputs)


def _azure(rule: Mapping[str, Any]) -> Iterator[str]:
    if (rule.get("direction"), rule.get("access")) != ("Inbound", "Allow"):
        return
    where = [*items(rule.get("sourceAddressPrefix")), *items(rule.get("sourceAddressPrefixes"))]
    ports = [*items(rule.get("destinationPortRange")), *items(rule.get("destinationPortRanges"))]
    yield from _opened(where, [port for port in ports if port not in _PROBED])


def _ports(rule: Mapping[str, Any]) -> Iterable[str]:
    first, last = rule.get("fromPort"), rule.get("toPort")
    if first is None or rule.get("ipProtocol", rule.get("protocol")) in {"-1", "all"}:
        return ("*",)
    return (_number(first) if first == last else f"{_number(first)}-{_number(last)}",)


def _number(port: object) -> str:
    return str(int(port)) if isinstance(port, float) else str(port)


def _opened(where: Iterable[Any], ports: Iterable[Any]) -> Iterator[str]:
    open_ = [str(place) for place in where if place in _EVERYWHERE]
    wrong = [str(port) for port in ports if str(port) not in _WEB]
    if open_ and wrong:
        yield f"{open_[0]} reaches port {', '.join(wrong)}"


RULES = (
    Rule(
        name="open-ingress",
        says="The internet reaches ports 80 and 443, and nothing else.",
        checks={
            "aws:ec2/securityGroup:SecurityGroup": _group,
            "aws:ec2/securityGroupRule:SecurityGroupRule": _old_rule,
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule,
            "azure-native:network:NetworkSecurityGroup": _azure_group,
            "azure-native:network:SecurityRule": _azure_rule,
            "gcp:compute/firewall:Firewall": _firewall,
        },
    ),
)
