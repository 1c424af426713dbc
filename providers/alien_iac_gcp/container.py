"""Container on Google Cloud: a Cloud Run service, a worker pool, or a machine with disks; `shape` says which."""

from alien_iac.models.arguments import ContainerArguments
from alien_iac.resources.context import Built, Context
from alien_iac_gcp import always_on, worker_pool
from alien_iac_gcp.shape import shape


def build(context: Context) -> Built:
    """Whatever its arguments make it. Outputs: `name`, `id`, `url`, `service_account`, `address` with a domain."""
    arguments = context.declared.arguments
    if not isinstance(arguments, ContainerArguments):
        raise TypeError(context.declared.kind)
    made = shape(context.declared)
    if made == "service":
        return always_on.build(context, arguments)
    if made == "worker-pool":
        return worker_pool.build(context, arguments)
    from alien_iac_gcp import machine  # noqa: PLC0415 - Compute Engine's classes take two seconds to load

    return machine.build(context, arguments)
