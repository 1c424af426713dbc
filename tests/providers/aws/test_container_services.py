"""Services on Fargate: how they start, how they are replaced, how they grow, and how the internet reaches them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
from providers.aws.aws_stacks import KEY, run

import alien_iac as alien
from alien_iac.testing.recording import Recording
from alien_iac_aws import ROLES, TYPES

SERVICE, TASK = "aws:ecs/service:Service", "aws:ecs/taskDefinition:TaskDefinition"
POLICY = "aws:iam/rolePolicy:RolePolicy"
IMAGE = "docker.io/vendor/app@sha256:" + "1" * 64


def container(place: Path, config: Mapping[str, Any] | None = None, **arguments: Any) -> Recording:
    given = {"source": "./api", "port": 8080, **arguments}
    recording = run(lambda: alien.Container("api", **given), place, **(config or {}))
    assert recording.error is None
    return recording


def service(recording: Recording) -> Mapping[str, Any]:
    return recording.one(SERVICE, "api").inputs


def definition(recording: Recording) -> dict[str, Any]:
    (found,) = json.loads(recording.one(TASK, "api-task").inputs["containerDefinitions"])
    return dict(found)


def test_a_failed_deployment_goes_back_by_itself(tmp_path: Path) -> None:
    found = service(container(tmp_path))
    assert found["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert found["waitForSteadyState"] is True


def test_replicas_overlap_and_a_single_writer_stops_first(tmp_path: Path) -> None:
    def replaced(**arguments: Any) -> tuple[int, int]:
        found = service(container(tmp_path, **arguments))
        return found["deploymentMinimumHealthyPercent"], found["deploymentMaximumPercent"]

    assert replaced() == (100, 200)
    assert replaced(volumes=[alien.Volume("/data", shared=True)]) == (100, 200)
    assert replaced(volumes=[alien.Volume("/data")]) == (0, 100)


def test_a_source_cannot_write_to_its_image_and_has_no_privileges(tmp_path: Path) -> None:
    found = definition(container(tmp_path))
    assert found["readonlyRootFilesystem"] is True
    assert found["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}
    assert [mount["containerPath"] for mount in found["mountPoints"]] == ["/tmp"]  # noqa: S108 - a path in the image


def test_a_source_is_asked_for_its_health_with_what_its_image_has(tmp_path: Path) -> None:
    assert definition(container(tmp_path, health="/up"))["healthCheck"]["command"][-1] == "http://127.0.0.1:8080/up"
    assert definition(container(tmp_path, protocol="tcp"))["healthCheck"]["command"][-1] == "8080"
    assert "healthCheck" not in definition(container(tmp_path, port=None))


def test_an_image_runs_by_its_digest_from_the_customers_registry(tmp_path: Path) -> None:
    recording = container(tmp_path, source=None, image=IMAGE, command=["serve"])
    copied = recording.one("alien:index:Image", "api-image").inputs
    assert copied["source"] == IMAGE
    assert "base" not in copied
    found = definition(recording)
    assert "@sha256:" in found["image"]
    assert found["command"] == ["serve"]


def test_an_image_of_the_customers_own_registry_is_used_as_it_is(tmp_path: Path) -> None:
    near = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/vendor/app:1"
    recording = container(tmp_path, source=None, image=near)
    assert definition(recording)["image"] == near
    assert not recording.of_type("aws:ecr/repository:Repository")
    policy = json.loads(recording.one(POLICY, "api-start").inputs["policy"])
    assert "arn:aws:ecr:eu-central-1:123456789012:repository/vendor/app" in json.dumps(policy)


def test_a_portless_worker_has_no_name_and_nobody_comes_in(tmp_path: Path) -> None:
    recording = container(tmp_path, port=None)
    assert "serviceRegistries" not in service(recording)
    assert definition(recording)["portMappings"] == []
    assert not recording.of_type("aws:servicediscovery/service:Service")
    assert not recording.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")


def test_a_scaled_service_is_not_put_back_to_what_it_began_with(tmp_path: Path) -> None:
    recording = container(tmp_path, scale=alien.Scale(min=2, max=6, cpu=55))
    assert recording.one(SERVICE, "api").ignore_changes == ("desiredCount",)
    assert service(recording)["desiredCount"] == 2
    target = recording.one("aws:appautoscaling/target:Target", "api-scaling").inputs
    assert (target["minCapacity"], target["maxCapacity"]) == (2, 6)
    assert target["resourceId"] == "service/acme-x1y2z3/acme-x1y2z3-api"
    metrics = metrics_of(recording)
    assert metrics == {"ECSServiceAverageCPUUtilization": 55, "ECSServiceAverageMemoryUtilization": 80}


def metrics_of(recording: Recording) -> dict[str, float]:
    tracked = (
        r.inputs["targetTrackingScalingPolicyConfiguration"]
        for r in recording.of_type("aws:appautoscaling/policy:Policy")
    )
    return {t["predefinedMetricSpecification"]["predefinedMetricType"]: t["targetValue"] for t in tracked}


def test_a_fixed_number_of_replicas_has_no_scaling(tmp_path: Path) -> None:
    recording = container(tmp_path, scale=alien.Scale(min=2, max=2))
    assert service(recording)["desiredCount"] == 2
    assert not recording.of_type("aws:appautoscaling/target:Target")


def test_a_domain_gets_a_load_balancer_that_speaks_tls(tmp_path: Path) -> None:
    arguments = {"public": True, "domain": "api", "scale": alien.Scale(min=1, max=3)}
    recording = container(tmp_path, {"domain": "acme.example.com"}, **arguments)
    https = recording.one("aws:lb/listener:Listener", "api-https").inputs
    assert https["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    redirect = recording.one("aws:lb/listener:Listener", "api-http").inputs["defaultActions"][0]["redirect"]
    assert redirect == {"port": "443", "protocol": "HTTPS", "statusCode": "HTTP_301"}
    assert recording.one("aws:acm/certificate:Certificate", "api-certificate").inputs["domainName"] == (
        "api.acme.example.com"
    )
    assert recording.one("aws:lb/loadBalancer:LoadBalancer", "api-load-balancer").inputs["accessLogs"]["enabled"]
    assert "ALBRequestCountPerTarget" in metrics_of(recording)
    outputs = recording.one("alien:index:Container", "api").outputs
    assert outputs is not None
    assert outputs["url"] == "https://api.acme.example.com"
    assert outputs["dns_records"][-1]["type"] == "CNAME"


def test_without_a_domain_api_gateway_finds_the_replicas_in_cloud_map(tmp_path: Path) -> None:
    recording = container(tmp_path, public=True)
    integration = recording.one("aws:apigatewayv2/integration:Integration", "api-integration").inputs
    discovery = recording.one("aws:servicediscovery/service:Service", "api-discovery").inputs
    assert integration["connectionType"] == "VPC_LINK"
    assert integration["integrationUri"].endswith("service/api-discovery-id")
    assert [record["type"] for record in discovery["dnsConfig"]["dnsRecords"]] == ["A", "SRV"]
    assert service(recording)["serviceRegistries"]["port"] == 8080
    assert recording.one("aws:apigatewayv2/stage:Stage", "api-stage").inputs["accessLogSettings"]["destinationArn"]


def test_two_public_containers_share_the_way_into_the_network(tmp_path: Path) -> None:
    def program() -> None:
        alien.Container("one", source="./api", port=8080, public=True)
        alien.Container("two", source="./api", port=8080, public=True)

    recording = run(program, tmp_path)
    assert recording.error is None
    assert len(recording.of_type("aws:apigatewayv2/vpcLink:VpcLink")) == 1
    assert len(recording.of_type("aws:apigatewayv2/api:Api")) == 2


def test_a_volume_is_mounted_over_tls_by_this_workload_alone(tmp_path: Path) -> None:
    recording = container(tmp_path, {"encryptionKey": KEY}, volumes=[alien.Volume("/meili_data")])
    disk = recording.one("aws:efs/fileSystem:FileSystem", "api-meili-data")
    assert disk.protect
    assert disk.inputs["kmsKeyId"] == KEY
    point = recording.one("aws:efs/accessPoint:AccessPoint", "api-meili-data-access").inputs
    assert point["posixUser"] == {"uid": 1000, "gid": 1000}
    (scratch, volume) = recording.one(TASK, "api-task").inputs["volumes"]
    assert scratch == {"name": "tmp"}
    assert volume["efsVolumeConfiguration"]["transitEncryption"] == "ENABLED"
    assert volume["efsVolumeConfiguration"]["authorizationConfig"]["iam"] == "ENABLED"
    (statement,) = json.loads(recording.one(POLICY, "api-mount-meili-data").inputs["policy"])["Statement"]
    assert "elasticfilesystem:AccessPointArn" in statement["Condition"]["ArnEquals"]
    assert statement["Action"] == ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    told = {v["name"]: v["value"] for v in definition(recording)["environment"]}
    assert told["ALIEN_VOLUME_MEILI_DATA"] == "/meili_data"


def test_a_change_of_a_container_leaves_its_volume_where_it_is(tmp_path: Path) -> None:
    small = container(tmp_path, volumes=[alien.Volume("/data", size="1Gi")])
    big = container(tmp_path, volumes=[alien.Volume("/data", size="20Gi")], cpu=2, memory="8Gi", port=9090)
    one, two = (r.one("aws:efs/fileSystem:FileSystem", "api-data") for r in (small, big))
    assert (one.urn, one.inputs) == (two.urn, two.inputs)


@pytest.mark.parametrize("key", [None, KEY])
def test_what_starts_a_container_is_one_role_and_what_it_does_another(tmp_path: Path, key: str | None) -> None:
    recording = container(tmp_path, {"encryptionKey": key})
    task = recording.one(TASK, "api-task").inputs
    assert task["executionRoleArn"] != task["taskRoleArn"]
    starts = json.loads(recording.one(POLICY, "api-start").inputs["policy"])["Statement"]
    assert {s["Sid"] for s in starts if s["Resource"] == ["*"]} == {"RegistryToken"}
    assert [r.name for r in recording.of_type(POLICY) if r.name.startswith("api-")] == ["api-start"]


def test_types_that_are_made_for_a_container_are_in_the_table(tmp_path: Path) -> None:
    arguments: dict[str, Any] = {
        "public": True,
        "domain": "api.example.com",
        "volumes": [alien.Volume("/data", shared=True)],
    }
    recording = container(tmp_path, scale=alien.Scale(), **arguments)
    assert {r.type for r in recording.resources if r.custom and not r.type.startswith("pulumi:")} <= set(TYPES)


def test_every_role_of_the_table_is_of_something_that_can_be_made(tmp_path: Path) -> None:
    seen: set[str] = set()

    def note(role: str) -> Any:
        def noted(props: dict[str, Any], opts: pulumi.ResourceOptions) -> tuple[dict[str, Any], pulumi.ResourceOptions]:
            seen.add(role)
            return props, opts

        return noted

    transform = {role: note(role) for role in ROLES["Container"]}
    scaled: dict[str, Any] = {"scale": alien.Scale(), "transform": transform}
    container(tmp_path, public=True, domain="api.example.com", volumes=[alien.Volume("/d", shared=True)], **scaled)
    container(tmp_path, public=True, transform=transform)

    def calls() -> None:
        files = alien.Storage("files")
        alien.Container("api", source="./api", port=8080, transform=transform, link=[files])

    assert run(calls, tmp_path).error is None
    assert seen == set(ROLES["Container"])
