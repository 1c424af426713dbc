"""A public Function with a domain: an HTTP API of API Gateway under that name, which a function URL cannot have."""

from typing import Any

import pulumi
from pulumi_aws.apigatewayv2 import (
    Api,
    ApiMapping,
    DomainName,
    DomainNameDomainNameConfigurationArgs,
    Integration,
    Route,
    Stage,
)
from pulumi_aws.lambda_ import Function, Permission

from alien_iac.resources.context import Context
from alien_iac_aws import certificate, gateway, naming
from alien_iac_aws.check_functions import GATEWAY_S
from alien_iac_aws.reach import Public

_MS = 1_000


def build(context: Context, function: Function, host: str) -> Public:
    """The API, its certificate and its name, which the customer points at it."""
    api = _api(context)
    integration = _integration(context, api, function)
    target = integration.id.apply(lambda found: f"integrations/{found}")
    # Whom it answers is the Function's own to say: it is public.
    anybody = {"api_id": api.id, "route_key": "$default", "target": target, "authorization_type": "NONE"}
    route = context.native("route", Route, anybody, suffix="route")
    logs, stage = gateway.stage(context, api)
    issued = certificate.issue(context, host)
    named = _named(context, host, issued.arn)
    own = {"name": host, "type": "CNAME", "value": named.domain_name_configuration.target_domain_name}
    return Public(
        url=f"https://{host}",
        how=f"https, at {host} through API Gateway, which waits {GATEWAY_S} s for an answer",
        native={
            "api": api,
            "integration": integration,
            "route": route,
            "stage": stage,
            "access-logs": logs,
            "certificate": issued.certificate,
            "certificate-validation": issued.validation,
            "domain-name": named,
            "mapping-of-domain": _mapped(context, api, stage, named),
            "permissions-of-domain": _permission(context, api, function),
        },
        records=pulumi.Output.all(issued.records, own).apply(lambda both: [*both[0], both[1]]),
    )


def _api(context: Context) -> Api:
    props = {
        "name": naming.name(context.deployment.config, "service", context.declared.id),
        "description": f"The public way to {context.declared.id}",
        "protocol_type": "HTTP",
        "disable_execute_api_endpoint": True,
        "tags": {"resource": context.declared.id},
    }
    return context.native("api", Api, props, suffix="api")


def _integration(context: Context, api: Api, function: Function) -> Integration:
    """The same event as that of a function URL: payload format 2.0."""
    props = {
        "api_id": api.id,
        "integration_type": "AWS_PROXY",
        "integration_uri": function.arn,
        "payload_format_version": "2.0",
        "timeout_milliseconds": GATEWAY_S * _MS,
    }
    return context.native("integration", Integration, props, suffix="integration")


def _named(context: Context, host: str, certificate_arn: pulumi.Input[str]) -> DomainName:
    configuration = DomainNameDomainNameConfigurationArgs(
        certificate_arn=certificate_arn, endpoint_type="REGIONAL", security_policy="TLS_1_2"
    )
    props: dict[str, Any] = {
        "domain_name": host,
        "domain_name_configuration": configuration,
        "tags": {"resource": context.declared.id},
    }
    return context.native("domain-name", DomainName, props, suffix="domain")


def _mapped(context: Context, api: Api, stage: Stage, named: DomainName) -> ApiMapping:
    props = {"api_id": api.id, "domain_name": named.domain_name, "stage": stage.name}
    return context.native("mapping-of-domain", ApiMapping, props, suffix="domain")


def _permission(context: Context, api: Api, function: Function) -> Permission:
    props = {
        "action": "lambda:InvokeFunction",
        "function": function.name,
        "principal": "apigateway.amazonaws.com",
        "source_arn": pulumi.Output.concat(api.execution_arn, "/*/$default"),
    }
    return context.native("permissions-of-domain", Permission, props, suffix="domain")
