"""Function on AWS is a Lambda function with a role, a log group and a place for its failures of its own."""

from typing import Any

import pulumi
from pulumi_aws.cloudwatch import LogGroup
from pulumi_aws.lambda_ import Function, FunctionEnvironmentArgs, FunctionLoggingConfigArgs, FunctionVpcConfigArgs

from alien_iac.models.arguments import FunctionArguments
from alien_iac.models.units import parse_bytes, parse_seconds
from alien_iac.protocol.outputs import Health, Invoke, Workload
from alien_iac.resources.context import Built, Context, Exposure, Grant
from alien_iac_aws import access, code, domain, failures, hosts, image, naming, reach, security, triggers
from alien_iac_aws.logs import log_group
from alien_iac_aws.network import network
from alien_iac_aws.place import place
from alien_iac_aws.policy import allow, attach_to_network
from alien_iac_aws.workload import environment

MIB = 2**20
DRAINED = {"asking for commands every minute": "USD 0.20"}
_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")


def build(context: Context) -> Built:
    """The function, what starts it, and what it may do.

    Outputs: `name`, `arn`; of a public one `url` too, and `dns_records`: what its name needs in the customer's DNS.
    """
    arguments = _arguments(context)
    failed = failures.build(context)
    member = _member(context)
    logs = _logs(context)
    role = access.role(context, "lambda.amazonaws.com")
    grants = (*access.policies(context), *_own(context, logs), failed.grant, *_attaching(context, member))
    policies = access.attach(context, role, grants)
    runs, pulled = _code(context, arguments)
    waiting = context.waiting_for([*policies, logs, *(member.ready if member else ())])
    props = {**_settings(context, arguments, logs), **runs, **_network(member), "role": role.arn}
    function = waiting.native("function", Function, props)
    started = triggers.build(context, function, failed)
    public = _public(context, arguments, function)
    url = public.url if public else None
    native = {
        "function": function,
        "role": role,
        "policies": list(policies),
        "logs": logs,
        "failures": failed.queue,
        "failures-policy": failed.policy,
        "failure-destination": failures.destination(context, function, failed),
        **started.native,
        **pulled,
        **(public.native if public else {}),
        **(_joined(member) if member else {}),
    }
    return Built(
        outputs={"name": _name(context), "arn": function.arn, "url": url, **_records(public)},
        native=native,
        workload=pulumi.Output.from_input(url).apply(lambda place: _told(context, arguments, place)),
        grants=(*grants, *started.grants, *(member.grants if member else ())),
        exposure=tuple(_exposure(context, public)),
        idle={**(member.network.idle if member else {}), **_drained(context)},
    )


def _drained(context: Context) -> dict[str, str]:
    return DRAINED if context.stack.is_drained(context.declared) else {}


def _member(context: Context) -> security.Membership | None:
    """Its place in a network; None where it needs none."""
    joined = network(context)
    return security.join(context, joined) if joined else None


def _joined(member: security.Membership) -> dict[str, Any]:
    return {security.ROLE: member.group}


def _public(context: Context, arguments: FunctionArguments, function: Function) -> reach.Public | None:
    if not arguments.public:
        return None
    host = hosts.host(context.deployment.config, arguments.domain) if arguments.domain else None
    return domain.build(context, function, host) if host else reach.build(context, function)


def _records(public: reach.Public | None) -> dict[str, Any]:
    return {"dns_records": public.records} if public else {}


def _logs(context: Context) -> LogGroup:
    props = log_group(context.deployment.config, "lambda", context.declared.id)
    return context.native("logs", LogGroup, props, suffix="logs")


def _arguments(context: Context) -> FunctionArguments:
    arguments = context.declared.arguments
    if not isinstance(arguments, FunctionArguments):
        raise TypeError(context.declared.kind)
    return arguments


def _name(context: Context) -> str:
    return naming.name(context.deployment.config, "function", context.declared.id)


def _settings(context: Context, arguments: FunctionArguments, logs: LogGroup) -> dict[str, Any]:
    return {
        "name": _name(context),
        "description": f"Function {context.declared.id} of {context.deployment.config.prefix}",
        "architectures": [code.architecture(arguments)],
        "memory_size": memory_mib(arguments.memory),
        "timeout": parse_seconds(arguments.timeout),
        "reserved_concurrent_executions": arguments.concurrency,
        "environment": FunctionEnvironmentArgs(variables=environment(context)),
        "kms_key_arn": context.deployment.config.encryption_key,
        "logging_config": FunctionLoggingConfigArgs(log_format="JSON", log_group=logs.name),
        "tags": {"resource": context.declared.id},
    }


def memory_mib(memory: str) -> int:
    """Whole MiB, upwards."""
    return -(-parse_bytes(memory) // MIB)


def _code(context: Context, arguments: FunctionArguments) -> tuple[dict[str, Any], dict[str, pulumi.Resource]]:
    """The properties that say what it runs, and what had to be made for them."""
    if context.artifact is not None:
        return code.zipped(context, context.artifact)
    reference, made = image.reference(context, code.architecture(arguments))
    return {"package_type": "Image", "image_uri": reference}, made


def _own(context: Context, logs: LogGroup) -> tuple[Grant, ...]:
    """Writing to its own log group, and reading its own variables where they are encrypted with the customer's key."""
    resource = context.declared.id
    write = allow("Write", _LOGS, [pulumi.Output.concat(logs.arn, ":log-stream:*")])
    read = access.encrypted(context, "lambda")
    logging = access.grant(context, resource, "write logs", write)
    return (logging, access.grant(context, resource, "read variables", *read)) if read else (logging,)


def _attaching(context: Context, member: security.Membership | None) -> tuple[Grant, ...]:
    if member is None:
        return ()
    statements = attach_to_network(access.function_arn(context, context.declared.id))
    return (access.grant(context, "alien:network", "join", *statements),)


def _network(member: security.Membership | None) -> dict[str, Any]:
    if member is None:
        return {}
    where = FunctionVpcConfigArgs(subnet_ids=list(member.network.private), security_group_ids=[member.group.id])
    return {"vpc_config": where}


def _told(context: Context, arguments: FunctionArguments, url: str | None) -> Workload:
    region = place(context.deployment.settings).region
    return Workload(
        id=context.declared.id,
        type="worker",
        commands=arguments.commands,
        public_url=url,
        health=Health(kind="heartbeat"),
        invoke=Invoke(kind="lambda", name=_name(context), region=region),
    )


def _exposure(context: Context, public: reach.Public | None) -> list[Exposure]:
    resource = context.declared.id
    callers = [c.id for c in context.stack.components if any(link.resource == resource for link in c.links)]
    found = [Exposure(resource=resource, from_=caller, how="lambda:InvokeFunction") for caller in callers]
    if context.stack.is_called_by_agent(context.declared):
        found.append(Exposure(resource=resource, from_="agent", how="lambda:InvokeFunction"))
    if public:
        found.append(Exposure(resource=resource, from_="internet", how=public.how))
    return found
