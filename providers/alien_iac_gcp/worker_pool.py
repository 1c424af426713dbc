"""A Container that listens on nothing: a Cloud Run worker pool, whose number of copies is fixed."""

from typing import Any

from pulumi_gcp.cloudrunv2 import (
    WorkerPool,
    WorkerPoolScalingArgs,
    WorkerPoolTemplateArgs,
    WorkerPoolTemplateContainerArgs,
    WorkerPoolTemplateContainerEnvArgs,
    WorkerPoolTemplateContainerResourcesArgs,
    WorkerPoolTemplateVpcAccessArgs,
    WorkerPoolTemplateVpcAccessNetworkInterfaceArgs,
)

from alien_iac.models.arguments import ContainerArguments
from alien_iac.protocol.outputs import Health, Workload
from alien_iac.resources.context import Built, Context
from alien_iac_gcp import naming
from alien_iac_gcp.access import linked
from alien_iac_gcp.accounts import account
from alien_iac_gcp.encryption import keyed
from alien_iac_gcp.image import Imported, imported
from alien_iac_gcp.place import place
from alien_iac_gcp.placement import Placement, placed
from alien_iac_gcp.shared import with_apis
from alien_iac_gcp.sizes import asked, run_size
from alien_iac_gcp.workload import account_of, environment, of_image

_DOLLARS_PER_CPU, _DOLLARS_PER_GIB = 29, 3


def build(context: Context, arguments: ContainerArguments) -> Built:
    """The pool."""
    own, image = account(context, context.declared.id), imported(context)
    granted, where = linked(context), placed(context)
    waits = [own, *granted.members, *(where.needed if where else ())]
    waiting, key = keyed(with_apis(context.waiting_for(waits), "run"), "run")
    props = _props(context, arguments, _template(context, arguments, image, where, key))
    pool = waiting.native("worker-pool", WorkerPool, props)
    return Built(
        outputs={"name": props["name"], "id": pool.id, "url": None, "service_account": account_of(context)},
        native={"worker-pool": pool, "image": image.image, "grants": list(granted.members)},
        workload=Workload(
            id=context.declared.id,
            type="container",
            commands=arguments.commands,
            health=Health(kind="process"),
        ),
        grants=granted.grants,
        idle=_idle(arguments),
    )


def copies(arguments: ContainerArguments) -> int:
    """How many run, always."""
    return arguments.scale.min if arguments.scale else 1


def _props(context: Context, arguments: ContainerArguments, template: WorkerPoolTemplateArgs) -> dict[str, Any]:
    return {
        "name": naming.name(context.deployment.config, "run", context.declared.id),
        "location": place(context.deployment.settings).region,
        "description": f"Container {context.declared.id} of {context.deployment.config.prefix}",
        "deletion_protection": False,
        "labels": {"resource": context.declared.id},
        "scaling": WorkerPoolScalingArgs(scaling_mode="MANUAL", manual_instance_count=copies(arguments)),
        "template": template,
    }


def _template(
    context: Context, arguments: ContainerArguments, image: Imported, where: Placement | None, key: str | None
) -> WorkerPoolTemplateArgs:
    size = run_size(asked(arguments))
    variables = sorted(environment(context).items(), key=lambda pair: pair[0])
    container = WorkerPoolTemplateContainerArgs(
        image=image.reference,
        args=of_image(context.declared),
        envs=[WorkerPoolTemplateContainerEnvArgs(name=name, value=value) for name, value in variables],
        resources=WorkerPoolTemplateContainerResourcesArgs(limits=size.limits if size else None),
    )
    return WorkerPoolTemplateArgs(
        service_account=account_of(context),
        encryption_key=key,
        labels={"resource": context.declared.id},
        vpc_access=_egress(where) if where else None,
        containers=[container],
    )


def _egress(where: Placement) -> WorkerPoolTemplateVpcAccessArgs:
    interface = WorkerPoolTemplateVpcAccessNetworkInterfaceArgs(subnetwork=where.subnetwork, tags=[where.tag])
    return WorkerPoolTemplateVpcAccessArgs(egress=where.egress, network_interfaces=[interface])


def _idle(arguments: ContainerArguments) -> dict[str, str]:
    size = run_size(asked(arguments))
    if size is None:
        return {}
    dollars = (size.cpu * _DOLLARS_PER_CPU + size.mib / 1024 * _DOLLARS_PER_GIB) * copies(arguments)
    return {"instances": f"USD {dollars:.0f}"}
