"""Networks of Containers: who stands where, and that a link opens exactly its port, both ways round."""

import json
from ipaddress import ip_network
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from providers.aws.aws_stacks import run

import alien_iac as alien
from alien_iac.testing.recording import KEYS, Recording
from alien_iac_aws import addresses

EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
SUBNET = "aws:ec2/subnet:Subnet"


def opened(recording: Recording, token: str) -> set[tuple[str, str, int]]:
    """(group, other group or range, port) of all rules of a type."""
    rules = (r.inputs for r in recording.of_type(token))
    return {
        (r["securityGroupId"], str(r.get("referencedSecurityGroupId", r.get("cidrIpv4"))), int(r["toPort"]))
        for r in rules
    }


def calls_both_ways() -> None:
    index = alien.Container("index", source="./api", port=7700)
    db = alien.Container("db", source="./api", port=5432, protocol="tcp")
    api = alien.Container("api", source="./api", port=8080, link=[index, db])
    alien.Function("worker", source="./worker", link=[index])
    index.link(api)


def test_a_link_opens_its_port_from_the_caller_and_nothing_else(tmp_path: Path) -> None:
    recording = run(calls_both_ways, tmp_path)
    assert recording.error is None
    links = {("api", "index", 7700), ("api", "db", 5432), ("index", "api", 8080), ("worker", "index", 7700)}
    groups = {(f"{a}-security-group-id", f"{b}-security-group-id", port) for a, b, port in links}
    https = {(f"{w}-security-group-id", "0.0.0.0/0", 443) for w in ("api", "db", "index", "worker")}
    assert opened(recording, EGRESS) == groups | https
    assert opened(recording, INGRESS) == {(b, a, port) for a, b, port in groups}


def test_both_rules_of_a_link_stand_under_the_caller(tmp_path: Path) -> None:
    recording = run(calls_both_ways, tmp_path)
    rule = recording.one(INGRESS, "api-to-index-ingress")
    assert rule.parent.endswith("alien:index:Container::api")
    service = recording.one("aws:ecs/service:Service", "api")
    assert rule.urn in service.depends_on


def test_a_callee_is_told_by_its_planned_name(tmp_path: Path) -> None:
    recording = run(calls_both_ways, tmp_path)
    task = recording.one("aws:ecs/taskDefinition:TaskDefinition", "api-task")
    (container,) = json.loads(task.inputs["containerDefinitions"])
    told = {v["name"]: v["value"] for v in container["environment"]}
    assert json.loads(told["ALIEN_DB_BINDING"])["internalUrl"] == "tcp://db.acme-x1y2z3.internal:5432"
    assert recording.one("aws:servicediscovery/service:Service", "db-discovery").inputs["name"] == "db"
    namespace = recording.one("aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace", "namespace")
    assert namespace.inputs["name"] == "acme-x1y2z3.internal"


def test_nothing_has_a_public_address(tmp_path: Path) -> None:
    recording = run(calls_both_ways, tmp_path)
    assert not any(r.inputs["mapPublicIpOnLaunch"] for r in recording.of_type(SUBNET))
    services = recording.of_type("aws:ecs/service:Service")
    assert not any(r.inputs["networkConfiguration"]["assignPublicIp"] for r in services)
    assert {s for r in services for s in r.inputs["networkConfiguration"]["subnets"]} == {
        "network-private-1-id",
        "network-private-2-id",
    }


def test_each_zone_has_its_own_way_out(tmp_path: Path) -> None:
    recording = run(calls_both_ways, tmp_path)
    routes = {r.name: r.inputs for r in recording.of_type("aws:ec2/route:Route")}
    assert routes["network-private-1-out"]["natGatewayId"] == "network-nat-1-id"
    assert routes["network-private-2-out"]["natGatewayId"] == "network-nat-2-id"
    nat = recording.one("aws:ec2/natGateway:NatGateway", "network-nat-1")
    assert recording.one("aws:ec2/route:Route", "network-public-out").urn in nat.depends_on


def test_the_network_is_watched_and_its_default_group_shut(tmp_path: Path) -> None:
    recording = run(calls_both_ways, tmp_path)
    shut = recording.one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "network-default").inputs
    assert (shut["ingress"], shut["egress"]) == ([], [])
    assert recording.one("aws:ec2/flowLog:FlowLog", "network-flow-log").inputs["trafficType"] == "ALL"


def test_the_customers_network_is_joined_and_nothing_of_it_is_made(tmp_path: Path) -> None:
    def program() -> None:
        alien.Container("api", source="./api", port=8080, network="customer", public=True, domain="api.example.com")

    recording = run(program, tmp_path)
    assert recording.error is None
    made = {r.type for r in recording.resources}
    assert not {t for t in made if t.startswith("aws:ec2/")} - {GROUP}
    given = json.loads(KEYS["aws"]["alien:network"])
    service = recording.one("aws:ecs/service:Service", "api").inputs["networkConfiguration"]
    assert service["subnets"] == given["private"]
    assert recording.one("aws:lb/loadBalancer:LoadBalancer", "api-load-balancer").inputs["subnets"] == given["public"]
    assert {r.inputs["vpcId"] for r in recording.of_type(GROUP)} == {given["vpc"]}


@given(prefix=st.from_regex(r"[a-z][a-z0-9]{2,20}", fullmatch=True))
def test_ranges_of_a_network_lie_in_it_and_do_not_meet(prefix: str) -> None:
    whole = addresses.network_range(prefix)
    parts = [ip_network(text) for z in addresses.zones("eu-central-1", prefix) for text in (z.public, z.private)]
    assert all(part.subnet_of(whole) for part in parts)  # type: ignore[arg-type]  # all are of one version
    assert not any(a.overlaps(b) for i, a in enumerate(parts) for b in parts[i + 1 :])
    assert addresses.network_range(prefix) == whole


def test_zones_are_named_by_ids_that_all_accounts_share() -> None:
    expected = {
        "eu-central-1": ["euc1-az1", "euc1-az2"],
        "us-east-1": ["use1-az1", "use1-az2"],
        "us-west-1": ["usw1-az1", "usw1-az3"],
        "us-gov-west-1": ["usgw1-az1", "usgw1-az2"],
        "ap-northeast-1": ["apne1-az1", "apne1-az2"],
        "ap-southeast-2": ["apse2-az1", "apse2-az2"],
        "cn-northwest-1": ["cnnw1-az1", "cnnw1-az2"],
        "eusc-de-east-1": ["eusc-de-east-1a", "eusc-de-east-1b"],
    }
    found = {r: [next(iter(z.zone.values())) for z in addresses.zones(r, "acme")] for r in expected}
    assert found == expected
