"""Networks on Google Cloud: nobody joins one without need, nobody is reached without a rule or from outside."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from providers.gcp.gcp_stacks import run

import alien_iac as alien
from alien_iac.testing.recording import Recording
from alien_iac_gcp.network import address_range

SERVICE, FIREWALL = "gcp:cloudrunv2/service:Service", "gcp:compute/firewall:Firewall"


def app() -> None:
    index = alien.Container("index", source="./api", port=7700, volumes=[alien.Volume("/data")])
    api = alien.Container("api", source="./api", port=8080, public=True, link=[index])
    alien.Function("worker", source="./worker", link=[api])
    alien.Function("lonely", source="./worker")


@pytest.fixture
def whole(tmp_path: Path) -> Recording:
    return run(app, tmp_path)


def template(recording: Recording, name: str) -> dict[str, Any]:
    found: dict[str, Any] = recording.one(SERVICE, name).inputs["template"]
    return found


def test_only_who_calls_others_joins_the_network(whole: Recording) -> None:
    assert "vpcAccess" not in template(whole, "lonely")
    access = template(whole, "worker")["vpcAccess"]
    assert access["egress"] == "PRIVATE_RANGES_ONLY"
    assert access["networkInterfaces"][0]["tags"] == ["acme-x1y2z3-worker"]


def test_a_machine_is_reached_by_those_who_are_linked_and_by_googles_probes(whole: Recording) -> None:
    rules = {r.name: r.inputs for r in whole.of_type(FIREWALL)}
    assert set(rules) == {"index-probes", "index-from-api"}
    assert rules["index-from-api"]["sourceTags"] == ["acme-x1y2z3-api"]
    assert rules["index-probes"]["sourceRanges"] == ["130.211.0.0/22", "35.191.0.0/16"]
    for rule in rules.values():
        assert rule["targetTags"] == ["acme-x1y2z3-index"]
        assert rule["allows"] == [{"protocol": "tcp", "ports": ["7700"]}]


def test_a_machine_has_no_address_of_the_internets(whole: Recording) -> None:
    (made,) = whole.of_type("gcp:compute/instanceTemplate:InstanceTemplate")
    (interface,) = made.inputs["networkInterfaces"]
    assert "accessConfigs" not in interface
    assert made.inputs["shieldedInstanceConfig"] == {
        "enableSecureBoot": True,
        "enableVtpm": True,
        "enableIntegrityMonitoring": True,
    }


def test_names_of_cloud_run_lead_to_private_addresses(whole: Recording) -> None:
    records = {r.inputs["name"]: r.inputs for r in whole.of_type("gcp:dns/recordSet:RecordSet")}
    assert records["*.run.app."]["rrdatas"] == ["run.app."]
    assert records["run.app."]["rrdatas"][0] == "199.36.153.8"
    assert records["index.acme-x1y2z3.internal."]["type"] == "A"


def test_the_network_is_watched_and_reaches_google_privately(whole: Recording) -> None:
    subnetwork = whole.one("gcp:compute/subnetwork:Subnetwork", "subnetwork").inputs
    assert subnetwork["privateIpGoogleAccess"] is True
    assert subnetwork["logConfig"]["metadata"] == "INCLUDE_ALL_METADATA"
    assert subnetwork["ipCidrRange"] == address_range("acme-x1y2z3")


def test_a_function_alone_needs_no_network(tmp_path: Path) -> None:
    recording = run(lambda: alien.Function("worker", source="./worker"), tmp_path)
    assert not [r for r in recording.resources if r.type.startswith("gcp:compute")]


def function(**arguments: Any) -> Callable[[], Any]:
    return lambda: alien.Function("worker", **{"source": "./worker", **arguments})


def test_the_customers_network_is_joined_as_it_is(tmp_path: Path) -> None:
    recording = run(function(network="customer"), tmp_path)
    assert template(recording, "worker")["vpcAccess"] == {
        "egress": "PRIVATE_RANGES_ONLY",
        "networkInterfaces": [
            {
                "subnetwork": "projects/acme-project/regions/europe-west1/subnetworks/apps",
                "tags": ["acme-x1y2z3-worker"],
            }
        ],
    }
    assert not recording.of_type("gcp:compute/network:Network")


@pytest.mark.parametrize(
    ("arguments", "ingress", "is_open"),
    [
        ({}, "INGRESS_TRAFFIC_INTERNAL_ONLY", False),
        ({"public": True}, "INGRESS_TRAFFIC_ALL", True),
        ({"public": True, "domain": "api.example.com"}, "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", True),
    ],
)
def test_a_service_is_reached_from_where_it_says(
    tmp_path: Path,
    arguments: dict[str, Any],
    ingress: str,
    is_open: bool,  # noqa: FBT001
) -> None:
    service = run(function(**arguments), tmp_path).one(SERVICE, "worker").inputs
    assert (service["ingress"], service["invokerIamDisabled"]) == (ingress, is_open)
    assert service["deletionProtection"] is False


def test_a_public_name_says_its_scheme_everywhere_and_leads_http_to_https(tmp_path: Path) -> None:
    recording = run(function(public=True, domain="api.example.com"), tmp_path)
    rules = recording.of_type("gcp:compute/globalForwardingRule:GlobalForwardingRule")
    schemed = [*rules, *recording.of_type("gcp:compute/backendService:BackendService")]
    assert {r.inputs["loadBalancingScheme"] for r in schemed} == {"EXTERNAL_MANAGED"}
    assert sorted(r.inputs["portRange"] for r in rules) == ["443", "80"]
    assert recording.one("gcp:compute/uRLMap:URLMap", "worker-redirect").inputs["defaultUrlRedirect"]["httpsRedirect"]
    certificate = recording.one("gcp:compute/managedSslCertificate:ManagedSslCertificate", "worker-certificate").inputs
    assert certificate["managed"] == {"domains": ["api.example.com"]}


def test_another_name_gets_another_certificate_beside_the_old_one(tmp_path: Path) -> None:
    kind = "gcp:compute/managedSslCertificate:ManagedSslCertificate"
    names = {
        run(function(public=True, domain=domain), tmp_path).one(kind, "worker-certificate").inputs["name"]
        for domain in ("api.example.com", "www.example.com")
    }
    assert len(names) == 2
