"""A public Container without a domain: an HTTP API of API Gateway, which finds the replicas through Cloud Map."""

import json

from pulumi_aws.apigatewayv2 import (
    Api,
    Integration,
    Route,
    Stage,
    StageAccessLogSettingsArgs,
    StageDefaultRouteSettingsArgs,
    VpcLink,
)
from pulumi_aws.cloudwatch import LogGroup
from pulumi_aws.ec2 import SecurityGroup
from pulumi_aws.servicediscovery import Service

from alien_iac.resources.context import Context
from alien_iac_aws import naming
from alien_iac_aws.check_containers import GATEWAY_SECONDS
from alien_iac_aws.ingress import Ingress
from alien_iac_aws.logs import log_group
from alien_iac_aws.security import Membership, Way, opened

_REQUESTS_A_SECOND, _BURST = 1_000, 2_000
_ACCESS = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "protocol": "$context.protocol",
    "status": "$context.status",
    "sourceIp": "$context.identity.sourceIp",
    "responseLength": "$context.responseLength",
    "integrationError": "$context.integrationErrorMessage",
}


def build(context: Context, member: Membership, port: int, discovery: Service) -> Ingress:
    """The API, and its way into the network.

    Roles: `api`, `integration`, `route`, `stage`, `access-logs`.
    """
    link, group = _link(context, member)
    way = Way(source=group.id, target=member.group.id, port=port)
    rules = opened(context, "public", f"API Gateway to {context.declared.id}", way)
    props = {
        "name": naming.name(context.deployment.config, "service", context.declared.id),
        "description": f"The public way to {context.declared.id}",
        "protocol_type": "HTTP",
        "tags": {"resource": context.declared.id},
    }
    api = context.native("api", Api, props, suffix="api")
    integration = _integration(context, api, link, discovery)
    target = integration.id.apply(lambda found: f"integrations/{found}")
    # Whoever may come in is the Container's to say: it is public.
    anybody = {"api_id": api.id, "route_key": "$default", "target": target, "authorization_type": "NONE"}
    route = context.native("route", Route, anybody, suffix="route")
    logs, published = stage(context, api)
    return Ingress(
        url=api.api_endpoint,
        how=f"https, through API Gateway, which waits {GATEWAY_SECONDS} s for an answer",
        native={"api": api, "integration": integration, "route": route, "stage": published, "access-logs": logs},
        ready=rules,
    )


def _link(context: Context, member: Membership) -> tuple[VpcLink, SecurityGroup]:
    """The deployment's way from API Gateway into its network."""
    config = context.deployment.config
    name = naming.shared_name(config, "security_group", "gateway")
    grouped = {"name": name, "description": f"API Gateway to {config.prefix}", "vpc_id": member.network.vpc}
    group = context.shared.shared(SecurityGroup, "gateway-group", grouped)
    props = {"name": name, "subnet_ids": list(member.network.private), "security_group_ids": [group.id]}
    return context.shared.shared(VpcLink, "gateway-link", props), group


def _integration(context: Context, api: Api, link: VpcLink, discovery: Service) -> Integration:
    props = {
        "api_id": api.id,
        "integration_type": "HTTP_PROXY",
        "integration_method": "ANY",
        "integration_uri": discovery.arn,
        "connection_type": "VPC_LINK",
        "connection_id": link.id,
        "payload_format_version": "1.0",
        "timeout_milliseconds": GATEWAY_SECONDS * 1_000,
    }
    return context.native("integration", Integration, props, suffix="integration")


def stage(context: Context, api: Api) -> tuple[LogGroup, Stage]:
    """The API's one stage, throttled, and the log of who came."""
    logged = log_group(context.deployment.config, "apigateway", context.declared.id)
    logs = context.native("access-logs", LogGroup, logged, suffix="access-logs")
    throttled = StageDefaultRouteSettingsArgs(
        throttling_rate_limit=_REQUESTS_A_SECOND, throttling_burst_limit=_BURST, detailed_metrics_enabled=True
    )
    props = {
        "api_id": api.id,
        "name": "$default",
        "auto_deploy": True,
        "access_log_settings": StageAccessLogSettingsArgs(
            destination_arn=logs.arn, format=json.dumps(_ACCESS, sort_keys=True)
        ),
        "default_route_settings": throttled,
        "tags": {"resource": context.declared.id},
    }
    return logs, context.native("stage", Stage, props, suffix="stage")
