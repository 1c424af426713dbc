"""Settings of native resources that a reviewer asks for."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
from providers.aws.aws_stacks import KEY, app, run

import alien_iac as alien
from alien_iac.testing.recording import Recording, config_for, record, surroundings

FUNCTION = "aws:lambda/function:Function"
KEYED = {
    "aws:cloudwatch/logGroup:LogGroup": "kmsKeyId",
    "aws:dynamodb/table:Table": "serverSideEncryption",
    "aws:ecr/repository:Repository": "encryptionConfigurations",
    "aws:lambda/function:Function": "kmsKeyArn",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "rules",
    "aws:scheduler/schedule:Schedule": "kmsKeyArn",
    "aws:secretsmanager/secret:Secret": "kmsKeyId",
    "aws:cloudformation/stack:Stack": "templateBody",
    "aws:sqs/queue:Queue": "kmsMasterKeyId",
    "aws:efs/fileSystem:FileSystem": "kmsKeyId",
}
"""Type to the property that names the customer's key."""


def inputs(recording: Recording, token: str, name: str) -> dict[str, Any]:
    assert recording.error is None
    return dict(recording.one(token, name).inputs)


def test_everything_that_takes_a_key_takes_the_customers(tmp_path: Path) -> None:
    recording = run(app, tmp_path, encryptionKey=KEY)
    assert recording.error is None
    for token, name in KEYED.items():
        found = recording.of_type(token)
        assert found, token
        assert [r.urn for r in found if KEY not in str(r.inputs.get(name))] == []


@pytest.mark.parametrize(("timeout", "seconds"), [("3m", 1080), ("1s", 30), ("15m", 5400)])
def test_a_message_stays_hidden_six_times_as_long_as_its_slowest_consumer_may_take(
    tmp_path: Path, timeout: str, seconds: int
) -> None:
    def program() -> None:
        jobs = alien.Queue("jobs")
        alien.Function("worker", source="./worker", timeout=timeout, triggers=[jobs.on_message()])

    queue = inputs(run(program, tmp_path), "aws:sqs/queue:Queue", "jobs")
    assert queue["visibilityTimeoutSeconds"] == seconds
    assert queue["sqsManagedSseEnabled"] is True


def test_dead_letters_can_really_arrive(tmp_path: Path) -> None:
    recording = run(lambda: alien.Queue("jobs", max_receives=7), tmp_path)
    redrive = inputs(recording, "aws:sqs/redrivePolicy:RedrivePolicy", "jobs-redrive")
    allow = inputs(recording, "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", "jobs-redrive-allow")
    queue, dead = (f"arn:aws:sqs:eu-central-1:123456789012:acme-x1y2z3-jobs{end}" for end in ("", "--dead"))
    assert json.loads(redrive["redrivePolicy"]) == {"deadLetterTargetArn": dead, "maxReceiveCount": 7}
    allowed = {"redrivePermission": "byQueue", "sourceQueueArns": [queue]}
    assert json.loads(allow["redriveAllowPolicy"]) == allowed
    assert inputs(recording, "aws:sqs/queue:Queue", "jobs-dead")["messageRetentionSeconds"] == 14 * 86_400


def test_concurrency_is_reserved_only_where_it_is_asked_for(tmp_path: Path) -> None:
    def program() -> None:
        jobs, more = alien.Queue("jobs"), alien.Queue("more")
        alien.Function("one", source="./worker", concurrency=1, triggers=[jobs.on_message()])
        alien.Function("free", source="./worker", triggers=[more.on_message()])

    recording = run(program, tmp_path)
    assert inputs(recording, FUNCTION, "one")["reservedConcurrentExecutions"] == 1
    mapping = "aws:lambda/eventSourceMapping:EventSourceMapping"
    assert inputs(recording, mapping, "one-jobs")["scalingConfig"] == {"maximumConcurrency": 2}
    assert "reservedConcurrentExecutions" not in inputs(recording, FUNCTION, "free")
    assert "scalingConfig" not in inputs(recording, mapping, "free-more")


def test_a_schedule_says_which_instant_it_meant_and_keeps_its_name_whatever_its_place(tmp_path: Path) -> None:
    def program(*lines: str) -> Recording:
        triggers = [alien.schedule(line, timezone="Europe/Paris") for line in lines]
        return run(lambda: alien.Function("worker", source="./worker", triggers=triggers), tmp_path)

    token = "aws:scheduler/schedule:Schedule"
    (only,) = program("0 3 * * 1").of_type(token)
    event = json.loads(only.inputs["target"]["input"])["alien"]
    assert event["scheduledTime"] == "<aws.scheduler.scheduled-time>"
    assert (event["cron"], event["timezone"]) == ("0 3 * * 1", "Europe/Paris")
    assert only.inputs["scheduleExpressionTimezone"] == "Europe/Paris"
    both = program("*/5 * * * *", "0 3 * * 1").of_type(token)
    assert only.inputs in [each.inputs for each in both]


def test_a_generated_secret_is_made_by_aws_and_its_value_is_nowhere(tmp_path: Path) -> None:
    recording = run(lambda: alien.Secret("token", provided_by="generated"), tmp_path)
    template = json.loads(inputs(recording, "aws:cloudformation/stack:Stack", "token")["templateBody"])
    secret = template["Resources"]["Secret"]
    assert secret["Properties"]["GenerateSecretString"] == {"PasswordLength": 40, "ExcludePunctuation": True}
    assert secret["DeletionPolicy"] == secret["UpdateReplacePolicy"] == "Retain"
    assert recording.outputs["alien"]["secrets"] == {"token": "acme-x1y2z3-token"}


def test_code_that_is_too_big_for_a_request_goes_through_the_deployments_own_bucket(tmp_path: Path) -> None:
    artifact = tmp_path / "big.zip"
    with artifact.open("wb") as file:
        file.truncate(51 * 2**20)
    environ = {"ALIEN_ARTIFACTS": json.dumps({"worker": str(artifact), "other": str(artifact)})}

    def program() -> None:
        alien.Function("worker", source="./worker")
        alien.Function("other", source="./worker")

    recording = record(program, surroundings(tmp_path, config_for("aws"), environ=environ))
    function = inputs(recording, FUNCTION, "worker")
    assert "code" not in function
    assert function["s3Bucket"] == "acme-x1y2z3--artifacts"
    assert function["s3Key"].startswith("worker/")
    assert len(recording.of_type("aws:s3/bucket:Bucket")) == 1
    assert len(recording.of_type("aws:s3/bucketPolicy:BucketPolicy")) == 1


def test_an_image_of_this_account_is_used_as_it_is_and_any_other_one_is_copied(tmp_path: Path) -> None:
    near = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app@sha256:" + "1" * 64
    far = "123456789012.dkr.ecr.us-east-1.amazonaws.com/app@sha256:" + "1" * 64

    def program() -> None:
        alien.Function("near", image=near)
        alien.Function("far", image=far)
        alien.Function("later", image=pulumi.Output.from_input(far), architecture="arm64")

    recording = run(program, tmp_path)
    assert inputs(recording, FUNCTION, "near")["imageUri"] == near
    assert [r.name for r in recording.of_type("alien:index:Image")] == ["far-image", "later-image"]
    repository = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/acme-x1y2z3-far"
    assert inputs(recording, "alien:index:Image", "far-image")["repository"] == repository
    assert inputs(recording, "alien:index:Image", "later-image")["architecture"] == "arm64"
    assert inputs(recording, FUNCTION, "near")["architectures"] == ["x86_64"]


def test_a_url_has_both_permissions(tmp_path: Path) -> None:
    recording = run(lambda: alien.Function("worker", source="./worker", public=True), tmp_path)
    permissions = [dict(r.inputs) for r in recording.of_type("aws:lambda/permission:Permission")]
    common = {"function": "acme-x1y2z3-worker", "principal": "*"}
    assert {**common, "action": "lambda:InvokeFunctionUrl", "functionUrlAuthType": "NONE"} in permissions
    assert {**common, "action": "lambda:InvokeFunction", "invokedViaFunctionUrl": True} in permissions
    assert recording.outputs["alien"]["workloads"][0]["publicUrl"].startswith("https://")


def test_a_domain_says_which_records_it_needs(tmp_path: Path) -> None:
    recording = run(
        lambda: alien.Function("worker", source="./worker", timeout="30s", public=True, domain="worker"),
        tmp_path,
        domain="acme.example.com",
    )
    (component,) = recording.of_type("alien:index:Function")
    assert component.outputs is not None
    assert component.outputs["url"] == "https://worker.acme.example.com"
    assert component.outputs["dns_records"][-1]["name"] == "worker.acme.example.com"
    assert inputs(recording, "aws:apigatewayv2/api:Api", "worker-api")["disableExecuteApiEndpoint"] is True


def test_a_function_in_the_customers_network_has_a_group_of_its_own_and_lets_nobody_in(tmp_path: Path) -> None:
    recording = run(lambda: alien.Function("worker", source="./worker", network="customer"), tmp_path)
    where = inputs(recording, FUNCTION, "worker")["vpcConfig"]
    assert where["subnetIds"] == ["subnet-0a1b2c3d", "subnet-1a1b2c3d"]
    assert len(where["securityGroupIds"]) == 1
    assert not recording.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert not recording.of_type("aws:ec2/vpc:Vpc")


def test_long_names_stay_within_the_limits_and_apart(tmp_path: Path) -> None:
    ids = [f"{'long-' * 12}{end}" for end in ("1", "2")]
    recording = run(lambda: [alien.Function(each, source="./worker") for each in ids], tmp_path, prefix="p" * 40)
    names = [r.inputs["name"] for r in recording.of_type(FUNCTION)]
    assert len(set(names)) == 2
    assert all(len(name) <= 64 for name in names)
    assert all(len(r.inputs["name"]) <= 64 for r in recording.of_type("aws:iam/role:Role"))
    assert all(len(r.inputs["name"]) <= 80 for r in recording.of_type("aws:sqs/queue:Queue"))


def test_the_provider_stays_in_its_account_and_takes_the_customers_role(tmp_path: Path) -> None:
    roles = '[{"roleArn": "arn:aws:iam::123456789012:role/alien", "externalId": "acme-42"}]'
    recording = run(lambda: alien.Storage("files"), tmp_path, labels='{"wave": "early"}', **{"aws:assumeRoles": roles})
    (provider,) = recording.of_type("pulumi:providers:aws")
    assert json.loads(provider.inputs["allowedAccountIds"]) == ["123456789012"]
    assert json.loads(provider.inputs["assumeRoles"])[0]["externalId"] == "acme-42"
    tags = {"wave": "early", "deployment": "acme-x1y2z3", "managed-by": "alien-iac"}
    assert json.loads(provider.inputs["defaultTags"]) == {"tags": tags}
