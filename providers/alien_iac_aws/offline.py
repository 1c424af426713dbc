"""Outputs that AWS would give a resource, made up from its inputs, so that policies come out whole without a cloud.

Synthetic: no account has what they name. A template is filled from the resource's inputs and from where the deployment
is; `{logical}` is the resource's logical name.
"""

from collections.abc import Callable, Mapping
from typing import Any

from alien_iac_aws.place import Place, place

Outputs = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]

_QUEUE = "https://sqs.{region}.{domain}/{account}/{name}"
_ELASTIC = "arn:{partition}:elasticloadbalancing:{region}:{account}"

TEMPLATES: Mapping[str, Mapping[str, str]] = {
    "aws:acm/certificate:Certificate": {"arn": "arn:{partition}:acm:{region}:{account}:certificate/{logical}"},
    "aws:apigatewayv2/api:Api": {
        "apiEndpoint": "https://{logical}.execute-api.{region}.{domain}",
        "executionArn": "arn:{partition}:execute-api:{region}:{account}:{logical}",
    },
    "aws:cloudwatch/eventRule:EventRule": {"arn": "arn:{partition}:events:{region}:{account}:rule/{name}"},
    "aws:cloudwatch/logGroup:LogGroup": {"arn": "arn:{partition}:logs:{region}:{account}:log-group:{name}"},
    "aws:dynamodb/table:Table": {"arn": "arn:{partition}:dynamodb:{region}:{account}:table/{name}"},
    "aws:ecr/repository:Repository": {
        "arn": "arn:{partition}:ecr:{region}:{account}:repository/{name}",
        "repositoryUrl": "{account}.dkr.ecr.{region}.{domain}/{name}",
    },
    "aws:ecs/cluster:Cluster": {"arn": "arn:{partition}:ecs:{region}:{account}:cluster/{name}"},
    "aws:ecs/taskDefinition:TaskDefinition": {
        "arn": "arn:{partition}:ecs:{region}:{account}:task-definition/{family}:1"
    },
    "aws:efs/accessPoint:AccessPoint": {
        "arn": "arn:{partition}:elasticfilesystem:{region}:{account}:access-point/{logical}-id"
    },
    "aws:efs/fileSystem:FileSystem": {
        "arn": "arn:{partition}:elasticfilesystem:{region}:{account}:file-system/{logical}-id"
    },
    "aws:iam/role:Role": {"arn": "arn:{partition}:iam::{account}:role{path}{name}"},
    "aws:lambda/function:Function": {"arn": "arn:{partition}:lambda:{region}:{account}:function:{name}"},
    "aws:lambda/functionUrl:FunctionUrl": {"functionUrl": "https://{functionName}.lambda-url.{region}.on.aws/"},
    "aws:lb/loadBalancer:LoadBalancer": {
        "arn": f"{_ELASTIC}:loadbalancer/app/{{name}}/0123456789abcdef",
        "arnSuffix": "app/{name}/0123456789abcdef",
        "dnsName": "{name}-0123456789.{region}.elb.{domain}",
    },
    "aws:lb/targetGroup:TargetGroup": {
        "arn": f"{_ELASTIC}:targetgroup/{{name}}/0123456789abcdef",
        "arnSuffix": "targetgroup/{name}/0123456789abcdef",
    },
    "aws:s3/bucket:Bucket": {"arn": "arn:{partition}:s3:::{bucket}"},
    "aws:secretsmanager/secret:Secret": {
        "arn": "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-AbCdEf"
    },
    "aws:servicediscovery/service:Service": {
        "arn": "arn:{partition}:servicediscovery:{region}:{account}:service/{logical}-id"
    },
    "aws:sqs/queue:Queue": {"arn": "arn:{partition}:sqs:{region}:{account}:{name}", "url": _QUEUE},
}


def outputs(settings: Mapping[str, Any]) -> Outputs:
    """The outputs of any resource of a deployment with this config. Raises ConfigInvalid without a place."""
    return lambda kind, logical, inputs: _outputs(settings, kind, logical, inputs)


def _outputs(settings: Mapping[str, Any], kind: str, logical: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    if not kind.startswith("aws:"):
        return {}
    where = place(settings)
    known = {
        "account": where.account,
        "domain": where.domain,
        "logical": logical,
        "partition": where.partition,
        "region": where.region,
        **inputs,
    }
    flat = {name: template.format_map(known) for name, template in TEMPLATES.get(kind, {}).items()}
    return {**flat, **(_NESTED[kind](where, inputs) if kind in _NESTED else {})}


def _stack(where: Place, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one stack that there is makes a secret."""
    return {"outputs": {"Arn": where.arn("secretsmanager", f"secret:{inputs['name']}-AbCdEf")}}


def _domain_name(where: Place, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    target = f"d-0123456789.execute-api.{where.region}.{where.domain}"
    return {"domainNameConfiguration": {**inputs["domainNameConfiguration"], "targetDomainName": target}}


_NESTED: Mapping[str, Callable[[Place, Mapping[str, Any]], Mapping[str, Any]]] = {
    "aws:apigatewayv2/domainName:DomainName": _domain_name,
    "aws:cloudformation/stack:Stack": _stack,
}
