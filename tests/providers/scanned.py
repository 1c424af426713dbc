"""Recorded resources as scanners read them: a Terraform plan for AWS and Google Cloud, an ARM template for Azure.

Names are translated by rule, with the exceptions in tables. What is nested follows the SDKs' own types: an object is a
block, which a plan holds as a list of one, and a map stays as it is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi import _types

from alien_iac.review import permissions_azure
from providers import sdk_types

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
TYPES: Mapping[str, str] = {
    "aws:acm/certificateValidation:CertificateValidation": "aws_acm_certificate_validation",
    "aws:lb/loadBalancer:LoadBalancer": "aws_lb",
    "aws:s3/bucketObjectv2:BucketObjectv2": "aws_s3_object",
    "gcp:artifactregistry/repository:Repository": "google_artifact_registry_repository",
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": "google_artifact_registry_repository_iam_member",
    "gcp:cloudrunv2/service:Service": "google_cloud_run_v2_service",
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": "google_cloud_run_v2_service_iam_member",
    "gcp:cloudrunv2/workerPool:WorkerPool": "google_cloud_run_v2_worker_pool",
    "gcp:cloudscheduler/job:Job": "google_cloud_scheduler_job",
    "gcp:compute/sSLPolicy:SSLPolicy": "google_compute_ssl_policy",
    "gcp:compute/uRLMap:URLMap": "google_compute_url_map",
    "gcp:projects/iAMMember:IAMMember": "google_project_iam_member",
    "gcp:projects/service:Service": "google_project_service",
    "gcp:projects/serviceIdentity:ServiceIdentity": "google_project_service_identity",
    "gcp:secretmanager/secret:Secret": "google_secret_manager_secret",
    "gcp:secretmanager/secretIamMember:SecretIamMember": "google_secret_manager_secret_iam_member",
    "gcp:secretmanager/secretVersion:SecretVersion": "google_secret_manager_secret_version",
    "gcp:serviceaccount/account:Account": "google_service_account",
    "gcp:serviceaccount/iAMMember:IAMMember": "google_service_account_iam_member",
}
"""Where the rule does not hold."""
_MODULES: Mapping[str, str] = {"ec2": "", "servicediscovery": "service_discovery", "lambda": "lambda"}
_PREFIX: Mapping[str, str] = {"aws": "aws", "gcp": "google"}
_SINGULAR: tuple[tuple[str, str], ...] = (("ies", "y"), ("sses", "ss"), ("s", ""))
_NAMES = ("name", "bucket", "identifier", "accountId", "repositoryId", "secretId", "databaseId", "family")
_ABOVE = frozenset({"location", "tags", "sku", "identity", "kind", "zones"})
"""What an ARM resource has beside its `properties`."""

_RENAMED: Mapping[str, str] = {"networkRuleSet": "networkAcls"}
"""What the SDK of Azure calls otherwise than Azure does."""


@dataclass(frozen=True)
class Recorded:
    """One resource: its type, logical name and inputs, and the outputs that are made up beside them."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]

    @property
    def address(self) -> str:
        return f"{terraform_type(self.type)}.{re.sub(r'[^A-Za-z0-9_]', '_', self.name)}"

    @property
    def known_as(self) -> Iterator[str]:
        """The texts by which other resources name it."""
        yield f"{self.name}-id"
        # What is made for a bucket also has the bucket's name, and is not it.
        own = [key for key in _NAMES if key != "bucket" or self.type.endswith(":Bucket")]
        yield from (str(self.inputs[key]) for key in own if key in self.inputs)
        yield from (value for value in self.outputs.values() if isinstance(value, str))


def terraform_type(token: str) -> str:
    """`aws:s3/bucket:Bucket` is `aws_s3_bucket`."""
    package, module, name = token.split(":")
    service = _MODULES.get(module.partition("/")[0], module.partition("/")[0])
    return TYPES.get(token, "_".join(part for part in (_PREFIX[package], service, snake(name)) if part))


def snake(name: str) -> str:
    """`kmsKeyId` is `kms_key_id`."""
    return _WORD.sub("_", name).lower()


def plan(resources: Iterable[Recorded]) -> dict[str, Any]:
    """A Terraform plan that creates all of them, with the references between them."""
    found = [each for each in resources if each.type.partition(":")[0] in _PREFIX]
    places = {text: each.address for each in found for text in each.known_as}
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": [_planned(each) for each in found]}},
        "resource_changes": [_change(each) for each in found],
        "configuration": {"root_module": {"resources": [_configured(each, places) for each in found]}},
    }


def template(resources: Iterable[Recorded]) -> dict[str, Any]:
    """An ARM template with all of Azure's."""
    kinds = permissions_azure.RESOURCES
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [_arm(each, kinds[each.type]) for each in resources if each.type in kinds],
    }


def _values(each: Recorded) -> dict[str, Any]:
    return _block(sdk_types.arguments(each.type), each.inputs)


def _block(kind: type, given: Mapping[str, Any]) -> dict[str, Any]:
    types = _types.input_type_types(kind)
    return {
        name: converted
        for key, value in given.items()
        if key in types
        for name, converted in [_property(key, types[key], value)]
    }


def _property(key: str, kind: Any, value: Any) -> tuple[str, Any]:
    block = sdk_types.block(kind)
    if block is not None and isinstance(value, dict):
        return snake(key), [_block(block, value)]
    if block is not None and isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return _singular(snake(key)), [_block(block, each) for each in value]
    return snake(key), value


def _singular(name: str) -> str:
    return next((f"{name.removesuffix(end)}{instead}" for end, instead in _SINGULAR if name.endswith(end)), name)


def _head(each: Recorded) -> dict[str, Any]:
    kind, _, name = each.address.partition(".")
    provider = f"registry.terraform.io/hashicorp/{kind.partition('_')[0]}"
    return {"address": each.address, "mode": "managed", "type": kind, "name": name, "provider_name": provider}


def _planned(each: Recorded) -> dict[str, Any]:
    return {**_head(each), "schema_version": 0, "values": _values(each)}


def _change(each: Recorded) -> dict[str, Any]:
    return {**_head(each), "change": {"actions": ["create"], "before": None, "after": _values(each)}}


def _configured(each: Recorded, places: Mapping[str, str]) -> dict[str, Any]:
    """Which inputs name another resource."""
    expressions = {}
    for key, value in each.inputs.items():
        named = {places[text] for text in _texts(value) if text in places and places[text] != each.address}
        if named:
            references = [text for address in sorted(named) for text in (f"{address}.id", address)]
            expressions[snake(key)] = {"references": references}
    return {**_head(each), "provider_config_key": each.type.partition(":")[0], "expressions": expressions}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


def _arm(each: Recorded, kind: str) -> dict[str, Any]:
    above = {key: value for key, value in each.inputs.items() if key in _ABOVE}
    inside = {key: value for key, value in each.inputs.items() if key not in _ABOVE}
    inside = {_RENAMED.get(key, key): value for key, value in inside.get("properties", inside).items()}
    name = each.inputs["accountName"] if each.type.endswith(":StorageAccount") else each.name
    return {"type": kind, "apiVersion": "2024-01-01", "name": name, **above, "properties": inside}
