"""One role per workload, and for each link exactly one verb on exactly that resource."""

from collections.abc import Callable, Mapping, Sequence

import pulumi
from pulumi_aws.iam import Role, RolePolicy

from alien_iac.models.arguments import Kind
from alien_iac.models.declared import Declared
from alien_iac.models.links import Link, Verb
from alien_iac.models.triggers import QueueTrigger
from alien_iac.resources.context import Context, Grant
from alien_iac_aws import naming
from alien_iac_aws.place import Place, place
from alien_iac_aws.policy import Arn, Statement, allow, document, text, trust

_READ_OBJECTS = ("s3:GetObject",)
_WRITE_OBJECTS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")
_READ_ITEMS = ("dynamodb:GetItem", "dynamodb:Query")
_WRITE_ITEMS = (*_READ_ITEMS, "dynamodb:PutItem", "dynamodb:DeleteItem")
_CONSUME = (
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueAttributes",
    "sqs:PurgeQueue",
)
_DECRYPT, _ENCRYPT = ("kms:Decrypt",), ("kms:Decrypt", "kms:GenerateDataKey")


def role(context: Context, service: str, *, role: str = "role", part: str = "") -> Role:
    """The role that `service` (`lambda.amazonaws.com`) runs the workload under.

    `role` and `part`: the role for `transform`, and the part of the name, where a workload needs a second one.
    """
    config = context.deployment.config
    props = {
        "name": naming.name(config, "role", context.declared.id, part),
        "path": naming.role_path(config),
        "assume_role_policy": text(trust(service, place(context.deployment.settings).account)),
        "permissions_boundary": config.permissions_boundary,
        "description": f"{context.declared.kind} {context.declared.id} of {config.prefix}",
        "tags": {"resource": context.declared.id},
    }
    return context.native(role, Role, props, suffix=part)


def policies(context: Context) -> tuple[Grant, ...]:
    """What the workload's links and triggers grant it. A call of a Container is granted by its network alone."""
    granted = (*context.declared.links, *_consumed(context))
    return tuple(grant for link in dict.fromkeys(granted) for grant in _granted(context, link))


def attach(context: Context, to: Role, grants: Sequence[Grant], *, role: str = "policies") -> tuple[RolePolicy, ...]:
    """Give the role these grants, each as a policy of its own; `role` is the role for `transform`."""
    return tuple(_attached(context, to, grant, role) for grant in grants)


def grant(context: Context, resource: str, verb: str, *statements: Statement) -> Grant:
    """A grant to the context's workload."""
    return Grant(workload=context.declared.id, resource=resource, verb=verb, policy=document(*statements))


def encrypted(context: Context, service: str, actions: Sequence[str] = _DECRYPT) -> tuple[Statement, ...]:
    """The use of the customer's key through one service; nothing where there is no such key."""
    key = context.deployment.config.encryption_key
    if key is None:
        return ()
    where = place(context.deployment.settings)
    through = {"StringEquals": {"kms:ViaService": f"{service}.{where.region}.{where.domain}"}}
    return (allow("UseKey", actions, [key], through),)


def sends(context: Context, queue: Arn) -> tuple[Statement, ...]:
    """Sending messages to one queue."""
    return allow("Send", ["sqs:SendMessage"], [queue]), *encrypted(context, "sqs", _ENCRYPT)


def _attached(context: Context, to: Role, granted: Grant, role: str) -> RolePolicy:
    words = granted.verb if granted.resource == context.declared.id else f"{granted.resource} {granted.verb}"
    name = words.replace(":", "-").replace(" ", "-")
    props = {"name": name, "role": to.name, "policy": text(granted.policy)}
    return context.native(role, RolePolicy, props, suffix=name)


def _consumed(context: Context) -> tuple[Link, ...]:
    """Lambda takes messages with the Function's own role."""
    queues = (t.resource for t in context.declared.triggers if isinstance(t, QueueTrigger))
    return tuple(Link(resource=queue, kind="Queue", verb="consume") for queue in queues)


def _granted(context: Context, link: Link) -> tuple[Grant, ...]:
    target = context.stack.find(link.resource)
    if target is None or target.kind == "Container":
        return ()
    return (grant(context, target.id, link.verb, *_STATEMENTS[target.kind](context, target, link.verb)),)


def _arn(context: Context, target: Declared) -> pulumi.Input[str]:
    arn: pulumi.Input[str] = context.built[target.id].outputs["arn"]
    return arn


def _storage(context: Context, target: Declared, verb: Verb) -> tuple[Statement, ...]:
    bucket, writes = _arn(context, target), verb == "write"
    objects = pulumi.Output.concat(bucket, "/*")
    return (
        allow("List", ["s3:ListBucket"], [bucket]),
        allow("Objects", _WRITE_OBJECTS if writes else _READ_OBJECTS, [objects]),
        *encrypted(context, "s3", _ENCRYPT if writes else _DECRYPT),
    )


def _kv(context: Context, target: Declared, verb: Verb) -> tuple[Statement, ...]:
    actions = _WRITE_ITEMS if verb == "write" else _READ_ITEMS
    # The table's own key was made with the table; whoever reads or writes only has it decrypted.
    return allow("Items", actions, [_arn(context, target)]), *encrypted(context, "dynamodb", _DECRYPT)


def _queue(context: Context, target: Declared, verb: Verb) -> tuple[Statement, ...]:
    if verb == "send":
        return sends(context, _arn(context, target))
    return allow("Consume", _CONSUME, [_arn(context, target)]), *encrypted(context, "sqs", _DECRYPT)


def _secret(context: Context, target: Declared, _: Verb) -> tuple[Statement, ...]:
    read = allow("Read", ["secretsmanager:GetSecretValue"], [_arn(context, target)])
    return read, *encrypted(context, "secretsmanager", _DECRYPT)


def _function(context: Context, target: Declared, _: Verb) -> tuple[Statement, ...]:
    """Two Functions may call each other, so the ARN is the planned one."""
    return (allow("Call", ["lambda:InvokeFunction"], [function_arn(context, target.id)]),)


def function_arn(context: Context, resource_id: str) -> str:
    """The planned ARN of a Function."""
    where: Place = place(context.deployment.settings)
    return where.arn("lambda", f"function:{naming.name(context.deployment.config, 'function', resource_id)}")


_STATEMENTS: Mapping[Kind, Callable[[Context, Declared, Verb], tuple[Statement, ...]]] = {
    "Storage": _storage,
    "Kv": _kv,
    "Queue": _queue,
    "Secret": _secret,
    "Function": _function,
}
