"""What a public name costs and opens, and the load balancer of a Cloud Run service where it has one.

Compute Engine's classes take longer to load than all the others together, so that they are loaded where they are used.
"""

from typing import Any

import pulumi

from alien_iac.resources.context import Context, Exposure

IDLE = {"load balancer": "USD 18"}


def over_service(context: Context, host: str | None, service: pulumi.Input[str]) -> dict[str, Any]:
    """By role: a load balancer over the Cloud Run service of this name; nothing without a host."""
    if host is None:
        return {}
    from alien_iac_gcp import balancer  # noqa: PLC0415 - see above

    return balancer.over_service(context, host, service)


def exposure(context: Context, host: str) -> Exposure:
    """What the review says of it."""
    return Exposure(resource=context.declared.id, from_="internet", how=f"https://{host}, by a global load balancer")
