"""Stacks on AWS that the tests of its package look at, recorded without a cloud."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi

import alien_iac as alien
from alien_iac.testing.monitor import Resource
from alien_iac.testing.recording import Recording, config_for, record, surroundings

KEY = "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000"
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
POLICIES = {
    "aws:efs/fileSystemPolicy:FileSystemPolicy": "policy",
    "aws:iam/role:Role": "assumeRolePolicy",
    "aws:iam/rolePolicy:RolePolicy": "policy",
    "aws:ecr/repositoryPolicy:RepositoryPolicy": "policy",
    "aws:s3/bucketPolicy:BucketPolicy": "policy",
    "aws:sqs/queuePolicy:QueuePolicy": "policy",
}
"""Type to the property that holds a policy document."""


def folder(tmp_path: Path) -> Path:
    """A stack program's folder with the sources `./api` and `./worker`."""
    for name in ("api", "worker"):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "main.py").touch()
    return tmp_path


def run(program: Callable[[], Any], place: Path, **config: Any) -> Recording:
    """What a program does on AWS, with further `alien:` keys by keyword, and `aws:` keys by their whole names."""
    ours = {key: value for key, value in config.items() if ":" not in key}
    settings = {**config_for("aws", **ours), **{key: value for key, value in config.items() if ":" in key}}
    return record(program, surroundings(folder(place), {k: v for k, v in settings.items() if v is not None}))


def app() -> None:
    """Everything that a stack may hold, with every link and trigger."""
    files, sessions, jobs = alien.Storage("files"), alien.Kv("sessions"), alien.Queue("jobs")
    crm, token = alien.Secret("crm"), alien.Secret("token", provided_by="generated")
    index = alien.Container("index", source="./api", port=7700, volumes=[alien.Volume("/data")])
    api = alien.Container("api", source="./api", port=8080, public=True, link=[index, jobs.sender(), files])
    worker = alien.Function(
        "worker",
        source="./worker",
        commands=True,
        public=True,
        link=[files, sessions, crm, token, index],
        triggers=[jobs.on_message(), alien.schedule("0 3 1 * 1"), files.on_created()],
    )
    alien.Function("reports", source="./worker", network="customer", link=[worker, sessions.reader(), files.reader()])
    alien.Function("copied", image="docker.io/vendor/app@sha256:" + "0" * 64, public=True, domain="copied.example.com")
    api.link(worker)
    pulumi.export("url", api.url)


def documents(recording: Recording) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """Every policy document, with the resource that holds it."""
    for resource in recording.resources:
        if resource.type in POLICIES:
            yield resource, json.loads(resource.inputs[POLICIES[resource.type]])


def statements(recording: Recording) -> Iterator[dict[str, Any]]:
    """Every statement of every policy."""
    for _, document in documents(recording):
        yield from document["Statement"]
