"""Outputs that AWS would give a resource, made up from its inputs, so that policies come out whole without a cloud.

Synthetic: no account has what they name. A template is filled from the resource's inputs and from where the deployment
is; `{logical}` is the resource's logical name.
"""

from collections.abc import Callable, Mapping
from typing import Any

from alien_iac_aws.place import place

Outputs = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]

_QUEUE = "https://sqs.{region}.{domain}/{account}/{name}"
_ELASTIC = "arn:{partition}:elasticloadbalancing:{region}:{account}"

TEMPLATES: Mapping[str, Mapping[str, str]] = {
    "aws:cloudwatch/eventRule:EventRule": {"arn": "arn:{partition}:events:{region}:{account}:rule/{name}"},
    "aws:cloudwatch/logGroup:LogGroup": {"arn": "arn:{partition}:logs:{region}:{account}:log-group:{name}"},
    "aws:dynamodb/table:Table": {"arn": "arn:{partition}:dynamodb:{region}:{account}:table/{name}"},
    "aws:ecr/repository:Repository": {
        "arn": "arn:{partition}:ecr:{region}:{account}:repository/{name}",
        "repositoryUrl": "{account}.dkr.ecr.{region}.{domain}/{name}",
    },
    "aws:iam/role:Role": {"arn": "arn:{partition}:iam::{account}:role{path}{name}"},
    "aws:lambda/function:Function": {"arn": "arn:{partition}:lambda:{region}:{account}:function:{name}"},
    "aws:lambda/functionUrl:FunctionUrl": {"functionUrl": "https://{functionName}.lambda-url.{region}.on.aws/"},
    "aws:s3/bucket:Bucket": {"arn": "arn:{partition}:s3:::{bucket}"},
    "aws:secretsmanager/secret:Secret": {
        "arn": "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-AbCdEf"
    },
    "aws:sqs/queue:Queue": {"arn": "arn:{partition}:sqs:{region}:{account}:{name}", "url": _QUEUE},
}


def outputs(settings: Mapping[str, Any]) -> Outputs:
    """The outputs of any resource of a deployment with this config. Raises ConfigInvalid without a place."""
    return lambda kind, logical, inputs: _outputs(settings, kind, logical, inputs)


def _outputs(settings: Mapping[str, Any], kind: str, logical: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    if kind == "aws:cloudformation/stack:Stack":
        arn = place(settings).arn("secretsmanager", f"secret:{inputs['name']}-AbCdEf")
        return {"outputs": {"Arn": arn}}
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
    return {name: template.format_map(known) for name, template in TEMPLATES.get(kind, {}).items()}
