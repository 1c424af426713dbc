"""What AWS refuses, warns of and rounds: found before anything is made, all at once."""

import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import run as start
from typing import Any

import pytest
from providers.aws.aws_stacks import KEY, run

import alien_iac as alien

ROLE = '[{"roleArn": "arn:aws:iam::123456789012:role/alien", "externalId": "acme"}]'


def storage(**arguments: Any) -> Callable[[], Any]:
    return lambda: alien.Storage("files", **arguments)


def function(**arguments: Any) -> Callable[[], Any]:
    return lambda: alien.Function("worker", source="./worker", **arguments)


def scheduled(cron: str) -> Callable[[], Any]:
    return function(triggers=[alien.schedule(cron)])


def calls_a_container_elsewhere() -> None:
    index = alien.Container("index", source="./api", port=7700)
    alien.Function("worker", source="./worker", network="customer", link=[index])


@pytest.mark.parametrize(
    ("config", "codes"),
    [
        ({"aws:region": None}, ["CONFIG_MISSING"]),
        ({"aws:region": "Frankfurt"}, ["CONFIG_INVALID"]),
        ({"aws:allowedAccountIds": None}, ["CONFIG_MISSING"]),
        ({"aws:allowedAccountIds": "123456789012"}, ["CONFIG_INVALID"]),
        ({"aws:allowedAccountIds": "nonsense"}, ["CONFIG_INVALID"]),
        ({"aws:allowedAccountIds": "[12345]"}, ["CONFIG_INVALID"]),
        ({"aws:allowedAccountIds": '["123456789012", "123456789013"]'}, ["CONFIG_INVALID"]),
        ({"aws:region": None, "aws:allowedAccountIds": None}, ["CONFIG_MISSING", "CONFIG_MISSING"]),
        ({"aws:assumeRoles": '[{"roleArn": "alien"}]'}, ["CONFIG_INVALID"]),
        ({"aws:assumeRoles": ROLE.replace("123456789012", "210987654321")}, ["CONFIG_INVALID"]),
        ({"encryptionKey": "alias/mine"}, ["CONFIG_INVALID"]),
        ({"encryptionKey": KEY.replace("eu-central-1", "us-east-1")}, ["CONFIG_INVALID"]),
        ({"permissionsBoundary": "boundary"}, ["CONFIG_INVALID"]),
    ],
)
def test_a_config_that_pins_no_place_is_refused(tmp_path: Path, config: dict[str, Any], codes: list[str]) -> None:
    recording = run(storage(), tmp_path, **config)
    assert list(recording.codes) == codes
    assert not [r for r in recording.resources if r.custom]


@pytest.mark.parametrize(
    ("program", "code"),
    [
        (function(timeout="16m"), "AWS_LIMIT"),
        (function(memory="11Gi"), "AWS_LIMIT"),
        (function(env={"AWS_REGION": "eu-west-1"}), "ENV_RESERVED"),
        (function(env={"AWS_ACCOUNT_ID": "1"}), "ENV_RESERVED"),
        (scheduled("0 3 */2 * 1"), "AWS_SCHEDULE"),
        (function(public=True, domain="worker"), "CONFIG_MISSING"),
        (calls_a_container_elsewhere, "AWS_NETWORK"),
        (lambda: alien.Storage("my-s3alias"), "AWS_NAME"),
    ],
)
def test_what_aws_cannot_do_is_refused(tmp_path: Path, program: Callable[[], Any], code: str) -> None:
    assert code in run(program, tmp_path).codes


@pytest.mark.parametrize(("domain", "codes"), [(None, ("UNSUPPORTED",)), ("api.example.com", ())])
def test_where_lambda_has_no_urls_a_public_function_needs_a_domain(
    tmp_path: Path, domain: str | None, codes: tuple[str, ...]
) -> None:
    recording = run(function(public=True, domain=domain), tmp_path, **{"aws:region": "eu-central-2"})
    assert recording.codes == codes


@pytest.mark.parametrize("network", [None, "vpc-0a1b2c3d", '{"vpc": "vpc-0a1b2c3d", "private": []}', "[]"])
def test_a_network_that_is_not_named_well_is_refused(tmp_path: Path, network: str | None) -> None:
    recording = run(function(network="customer"), tmp_path, **{"alien:network": network})
    assert recording.codes == ("CONFIG_INVALID" if network else "CONFIG_MISSING",)


@pytest.mark.parametrize(
    ("program", "config", "said"),
    [
        (storage(expire_after="36h"), {}, 'files: expire_after "36h" is 2d: S3 counts whole days [AWS_ROUNDED]'),
        (function(memory="131073Ki"), {}, 'memory "131073Ki" is 129Mi: Lambda counts whole MiB [AWS_ROUNDED]'),
        (scheduled("0 3 1 * 5"), {}, "on a day that matches both, its handlers start twice [AWS_SCHEDULE_TWICE]"),
        (storage(), {"encryptionKey": KEY}, "[AWS_KEY_POLICY]"),
        (
            storage(),
            {"aws:assumeRoles": '[{"roleArn": "arn:aws:iam::123456789012:role/alien"}]'},
            "arn:aws:iam::123456789012:role/alien is assumed without an ExternalId",
        ),
        (
            function(public=True, domain="api.example.com"),
            {},
            "under its domain a request ends after 30 s, whatever its timeout",
        ),
        (
            function(network="customer"),
            {"alien:network": '{"vpc": "vpc-0a1b2c3d", "private": ["subnet-0a1b2c3d"]}'},
            "it has one subnet, subnet-0a1b2c3d",
        ),
    ],
)
def test_what_is_rounded_or_worth_knowing_is_said(
    tmp_path: Path, program: Callable[[], Any], config: dict[str, Any], said: str
) -> None:
    recording = run(program, tmp_path, **config)
    assert recording.error is None
    assert [text for text in recording.messages if said in text]


def test_everything_wrong_is_found_at_once(tmp_path: Path) -> None:
    def program() -> None:
        function(timeout="16m", memory="11Gi", triggers=[alien.schedule("0 3 */2 * 1")])()
        alien.Queue("jobs", retention="9d")

    recording = run(program, tmp_path, **{"aws:region": None})
    assert sorted(recording.codes) == ["AWS_LIMIT", "AWS_LIMIT", "AWS_SCHEDULE", "CONFIG_MISSING", "RANGE_INVALID"]


def test_the_checks_import_no_sdk() -> None:
    code = "import sys, alien_iac_aws.checks; sys.exit(any(m.split('.')[0] == 'pulumi_aws' for m in sys.modules))"
    path = {"PYTHONPATH": ":".join(entry for entry in sys.path if entry)}
    assert start([sys.executable, "-c", code], env=path, check=False, timeout=60).returncode == 0
