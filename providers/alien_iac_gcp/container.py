"""Container on Google Cloud: a Cloud Run service, a worker pool, or a machine with disks; `shape` says which."""

from collections.abc import Callable, Mapping

from alien_iac.models.arguments import ContainerArguments
from alien_iac.resources.context import Built, Context
from alien_iac_gcp import always_on, machine, worker_pool
from alien_iac_gcp.shape import Shape, shape

_BUILDERS: Mapping[Shape, Callable[[Context, ContainerArguments], Built]] = {
    "service": always_on.build,
    "worker-pool": worker_pool.build,
    "machine": machine.build,
}


def build(context: Context) -> Built:
    """Whatever its arguments make it. Outputs: `name`, `id`, `url`, `service_account`, `address` with a domain."""
    arguments = context.declared.arguments
    if not isinstance(arguments, ContainerArguments):
        raise TypeError(context.declared.kind)
    return _BUILDERS[shape(context.declared)](context, arguments)
