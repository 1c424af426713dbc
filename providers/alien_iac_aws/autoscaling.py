"""More replicas of a Container while it is busy, and fewer again afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi
from pulumi_aws.appautoscaling import (
    Policy,
    PolicyTargetTrackingScalingPolicyConfigurationArgs,
    PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs,
    Target,
)
from pulumi_aws.ecs import Cluster, Service

from alien_iac.models.arguments import ContainerArguments, ScaleArguments
from alien_iac.resources.context import Context

_MEMORY_PERCENT = 80
_REQUESTS_A_MINUTE = 3_000
"""Of one replica, 50 a second: what a small web service still answers at ease; CPU says the rest."""
_OUT_S, _IN_S = 60, 300
"""Quick to add replicas, slow to take them away."""


@dataclass(frozen=True, kw_only=True)
class _Metric:
    name: str
    type: str
    value: float
    label: pulumi.Input[str] | None = None


def scales(arguments: ContainerArguments) -> bool:
    """Whether the number of replicas changes by itself."""
    scale = arguments.scale
    return scale is not None and scale.min < scale.max


def build(
    context: Context, scale: ScaleArguments, cluster: Cluster, service: Service, balanced: pulumi.Input[str] | None
) -> tuple[Target, list[Policy]]:
    """The target and a policy for each metric. `balanced`: the load balancer's label for its requests, if any.

    Roles: `scaling` and `scaling-policies`.
    """
    dimension = {
        "service_namespace": "ecs",
        "scalable_dimension": "ecs:service:DesiredCount",
        "resource_id": pulumi.Output.concat("service/", cluster.name, "/", service.name),
    }
    props = {**dimension, "min_capacity": scale.min, "max_capacity": scale.max}
    target = context.native("scaling", Target, props, suffix="scaling")
    waiting = context.waiting_for([target])
    policies = [
        waiting.native(
            "scaling-policies",
            Policy,
            {
                **dimension,
                "name": metric.name,
                "policy_type": "TargetTrackingScaling",
                "target_tracking_scaling_policy_configuration": _tracking(metric),
            },
            suffix=f"scaling-{metric.name}",
        )
        for metric in _metrics(scale, balanced)
    ]
    return target, policies


def _metrics(scale: ScaleArguments, balanced: pulumi.Input[str] | None) -> Iterator[_Metric]:
    yield _Metric(name="cpu", type="ECSServiceAverageCPUUtilization", value=scale.cpu)
    yield _Metric(name="memory", type="ECSServiceAverageMemoryUtilization", value=_MEMORY_PERCENT)
    if balanced is not None:
        yield _Metric(name="requests", type="ALBRequestCountPerTarget", value=_REQUESTS_A_MINUTE, label=balanced)


def _tracking(metric: _Metric) -> PolicyTargetTrackingScalingPolicyConfigurationArgs:
    measured = PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs(
        predefined_metric_type=metric.type, resource_label=metric.label
    )
    return PolicyTargetTrackingScalingPolicyConfigurationArgs(
        target_value=metric.value,
        predefined_metric_specification=measured,
        scale_out_cooldown=_OUT_S,
        scale_in_cooldown=_IN_S,
    )
