"""Function on Google Cloud is a Cloud Run service that scales to zero, and lets in only whom it was linked to.

What starts it is an account of its own, which may do nothing else. A public Function lets everybody reach it, so its
runtime asks for a token itself where a path is not for the public.
"""

from typing import Any

import pulumi
from pulumi_gcp.cloudrunv2 import ServiceTemplateScalingArgs

from alien_iac.models.arguments import MAX_TIMEOUT, FunctionArguments
from alien_iac.models.units import parse_seconds
from alien_iac.protocol.outputs import Health, Invoke, Workload
from alien_iac.resources.context import Built, Context, Exposure
from alien_iac_gcp import front as public_front
from alien_iac_gcp import naming
from alien_iac_gcp.access import invoked_by
from alien_iac_gcp.accounts import TRIGGERS
from alien_iac_gcp.addresses import public_url, run_url
from alien_iac_gcp.run_service import Running, Settings, run
from alien_iac_gcp.shape import callers
from alien_iac_gcp.sizes import asked, run_size
from alien_iac_gcp.triggers import started_by
from alien_iac_gcp.workload import account_of, is_started

PORT = 8080
AT_ONCE = 10
"""What one copy works on at once, where the author does not say how many copies there may be."""
COPIES = 100
DRAINED = {"asking for commands every minute": "USD 0.65"}


def build(context: Context) -> Built:
    """The service and what starts it. Outputs: `name`, `url`, `id`, `service_account`, `address` with a domain."""
    arguments = context.declared.arguments
    if not isinstance(arguments, FunctionArguments):
        raise TypeError(context.declared.kind)
    made = run(context, settings(arguments))
    who = [(caller.id, "") for caller in callers(context.stack, context.declared)]
    invokers = invoked_by(context, [*who, *_starter(context)], made.service)
    started = started_by(context, (made.service, *invokers.members))
    native = {
        "service": made.service,
        "image": made.imported.image,
        "grants": list(made.granted.members),
        "invokers": list(invokers.members),
        **started.native,
    }
    front = _front(context, made)
    url = run_url(context, context.declared.id)
    public = public_url(context, context.declared)
    return Built(
        outputs={
            "name": naming.name(context.deployment.config, "run", context.declared.id),
            "id": made.service.id,
            "url": public if public is not None else url,
            "service_account": account_of(context),
            **({"address": front["address"].address} if front else {}),
        },
        native={**native, **front},
        workload=pulumi.Output.all(url, public).apply(lambda urls: _told(context, urls[0], urls[1])),
        grants=(*made.granted.grants, *invokers.grants, *started.grants),
        exposure=_exposure(context),
        idle={**(public_front.IDLE if front else {}), **_drained(context)},
    )


def settings(arguments: FunctionArguments) -> Settings:
    """With `concurrency`, so many copies with one request each; otherwise Cloud Run's own way."""
    size = run_size(asked(arguments))
    if size is None:
        raise ValueError(arguments.memory)
    copies = arguments.concurrency or COPIES
    return Settings(
        size=size,
        port=PORT,
        timeout_s=min(MAX_TIMEOUT, parse_seconds(arguments.timeout)),
        concurrency=1 if arguments.concurrency else AT_ONCE,
        scaling=ServiceTemplateScalingArgs(min_instance_count=0, max_instance_count=copies),
        always_on=False,
        open=arguments.public,
    )


def _drained(context: Context) -> dict[str, str]:
    return DRAINED if context.stack.is_drained(context.declared) else {}


def _starter(context: Context) -> list[tuple[str, str]]:
    return [(context.declared.id, TRIGGERS)] if is_started(context) else []


def _front(context: Context, made: Running) -> dict[str, Any]:
    arguments = context.declared.workload
    host = naming.public_host(arguments, context.deployment.config) if arguments and arguments.public else None
    return public_front.over_service(context, host, made.service.name)


def _exposure(context: Context) -> tuple[Exposure, ...]:
    arguments, resource = context.declared.workload, context.declared.id
    inside = Exposure(resource=resource, from_="deployment", how="https from the project's networks, with a token")
    if arguments is None or not arguments.public:
        return (inside,)
    host = naming.public_host(arguments, context.deployment.config)
    open_to_all = Exposure(resource=resource, from_="internet", how="its address at run.app")
    return (public_front.exposure(context, host) if host else open_to_all, inside)


def _told(context: Context, url: str, public: str | None) -> Workload:
    arguments = context.declared.workload
    return Workload(
        id=context.declared.id,
        type="worker",
        commands=bool(arguments and arguments.commands),
        public_url=public,
        health=Health(kind="heartbeat"),
        invoke=Invoke(kind="cloud-run", url=url),
    )
