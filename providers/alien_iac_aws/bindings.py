"""What a workload on AWS is told about a resource that it is linked to: planned names, never another one's Outputs."""

from collections.abc import Callable, Mapping

from alien_iac.models.arguments import ContainerArguments, Kind
from alien_iac.models.config import DeploymentConfig
from alien_iac.models.declared import Declared
from alien_iac.protocol import bindings
from alien_iac_aws import naming
from alien_iac_aws.place import Place


def binding(target: Declared, config: DeploymentConfig, place: Place) -> bindings.Binding:
    """The binding of one component."""
    return _BINDINGS[target.kind](target, config, place)


def container_url(target: Declared, config: DeploymentConfig) -> str:
    """Where a Container answers the deployment's other workloads, by its name in the private DNS namespace."""
    arguments = target.arguments
    if not isinstance(arguments, ContainerArguments):
        raise TypeError(target.kind)
    return f"{arguments.protocol}://{target.id}.{naming.namespace(config)}:{arguments.port}"


def queue_url(config: DeploymentConfig, place: Place, resource_id: str) -> str:
    """The URL of a queue, which SQS makes of its name."""
    return f"https://sqs.{place.region}.{place.domain}/{place.account}/{naming.name(config, 'queue', resource_id)}"


def _storage(target: Declared, config: DeploymentConfig, _: Place) -> bindings.S3Storage:
    return bindings.S3Storage(bucket_name=naming.name(config, "bucket", target.id))


def _kv(target: Declared, config: DeploymentConfig, place: Place) -> bindings.DynamoKv:
    return bindings.DynamoKv(table_name=naming.name(config, "key_value_table", target.id), region=place.region)


def _queue(target: Declared, config: DeploymentConfig, place: Place) -> bindings.SqsQueue:
    return bindings.SqsQueue(queue_url=queue_url(config, place, target.id))


def _secret(target: Declared, config: DeploymentConfig, place: Place) -> bindings.AwsSecret:
    return bindings.AwsSecret(secret_name=naming.name(config, "secret", target.id), region=place.region)


def _function(target: Declared, config: DeploymentConfig, place: Place) -> bindings.LambdaWorker:
    return bindings.LambdaWorker(worker_name=naming.name(config, "function", target.id), region=place.region)


def _container(target: Declared, config: DeploymentConfig, _: Place) -> bindings.CloudContainer:
    return bindings.CloudContainer(container_name=target.id, internal_url=container_url(target, config))


_BINDINGS: Mapping[Kind, Callable[[Declared, DeploymentConfig, Place], bindings.Binding]] = {
    "Storage": _storage,
    "Kv": _kv,
    "Queue": _queue,
    "Secret": _secret,
    "Function": _function,
    "Container": _container,
}
