"""Who may call a Function: Azure asks each caller for a token, made out to the customer's application, before the code.

`alien-azure:application` names that registration. The workloads that are linked to the Function, and the agent where it
answers commands, are let in by the client ids of their identities, and nobody else.
"""

from typing import Any

import pulumi
from pulumi_azure_native.app import ContainerAppsAuthConfig
from pulumi_azure_native.app import UnauthenticatedClientActionV2 as AppAction
from pulumi_azure_native.app import _inputs as app_inputs
from pulumi_azure_native.web import UnauthenticatedClientActionV2 as WebAction
from pulumi_azure_native.web import WebAppAuthSettingsV2
from pulumi_azure_native.web import _inputs as web_inputs

from alien_iac.resources.context import Context, Exposure, Grant
from alien_iac_azure import placement
from alien_iac_azure.place import Place, place
from alien_iac_azure.shared import group

AGENT = "agent"
_V2 = "~1"


def grants(context: Context) -> tuple[Grant, ...]:
    """What the callers are granted by this."""
    application = place(context.deployment.settings).application
    named = [caller.id for caller in placement.callers(context.stack, context.declared)]
    agent = [AGENT] if context.stack.is_called_by_agent(context.declared) else []
    policy = {"authentication": "Microsoft Entra ID", "audience": application}
    return tuple(
        Grant(workload=who, resource=context.declared.id, verb="call", policy=policy) for who in [*named, *agent]
    )


def exposure(context: Context) -> tuple[Exposure, ...]:
    """From where the Function is reached."""
    workload, resource = context.declared.workload, context.declared.id
    inner = [
        Exposure(resource=resource, from_=g.workload, how="https, with a token of its identity")
        for g in grants(context)
    ]
    outer = [Exposure(resource=resource, from_="internet", how="https")] if workload and workload.public else []
    return tuple(inner + outer)


def seats(context: Context) -> list[placement.Seat]:
    """The subnets that the Function is called from: of its callers, and of the agent, a Container App within."""
    found = [placement.seat(caller) for caller in placement.callers(context.stack, context.declared)]
    own = placement.seat(context.declared)
    if own is not None and context.stack.is_called_by_agent(context.declared):
        found.append(placement.Seat(network=own.network, part="internal"))
    return [seat for seat in dict.fromkeys(found) if seat is not None]


def of_site(context: Context, site: pulumi.Output[str]) -> WebAppAuthSettingsV2 | None:
    """What Flex Consumption asks of callers. Role: `auth`. None where nobody calls."""
    where = place(context.deployment.settings)
    if not placement.is_called(context.stack, context.declared):
        return None
    policy = web_inputs.DefaultAuthorizationPolicyArgs(allowed_applications=_allowed(context))
    directory = web_inputs.AzureActiveDirectoryArgs(
        enabled=True,
        registration=web_inputs.AzureActiveDirectoryRegistrationArgs(
            client_id=where.application, open_id_issuer=_issuer(where)
        ),
        validation=web_inputs.AzureActiveDirectoryValidationArgs(
            allowed_audiences=_audiences(where), default_authorization_policy=policy
        ),
    )
    public = _is_public(context)
    props: dict[str, Any] = {
        "resource_group_name": group(context),
        "name": site,
        "platform": web_inputs.AuthPlatformArgs(enabled=True, runtime_version=_V2),
        "global_validation": web_inputs.GlobalValidationArgs(
            require_authentication=not public,
            unauthenticated_client_action=WebAction.ALLOW_ANONYMOUS if public else WebAction.RETURN401,
        ),
        "identity_providers": web_inputs.IdentityProvidersArgs(azure_active_directory=directory),
        "login": web_inputs.LoginArgs(token_store=web_inputs.TokenStoreArgs(enabled=False)),
    }
    return context.native("auth", WebAppAuthSettingsV2, props, suffix="auth")


def of_app(context: Context, app: pulumi.Output[str]) -> ContainerAppsAuthConfig | None:
    """The same of a Function that is a Container App."""
    where = place(context.deployment.settings)
    if not placement.is_called(context.stack, context.declared):
        return None
    policy = app_inputs.DefaultAuthorizationPolicyArgs(allowed_applications=_allowed(context))
    directory = app_inputs.AzureActiveDirectoryArgs(
        enabled=True,
        registration=app_inputs.AzureActiveDirectoryRegistrationArgs(
            client_id=where.application, open_id_issuer=_issuer(where)
        ),
        validation=app_inputs.AzureActiveDirectoryValidationArgs(
            allowed_audiences=_audiences(where), default_authorization_policy=policy
        ),
    )
    props: dict[str, Any] = {
        "resource_group_name": group(context),
        "container_app_name": app,
        "auth_config_name": "current",
        "platform": app_inputs.AuthPlatformArgs(enabled=True),
        "global_validation": app_inputs.GlobalValidationArgs(
            unauthenticated_client_action=AppAction.ALLOW_ANONYMOUS if _is_public(context) else AppAction.RETURN401
        ),
        "identity_providers": app_inputs.IdentityProvidersArgs(azure_active_directory=directory),
    }
    return context.native("auth", ContainerAppsAuthConfig, props, suffix="auth")


def _allowed(context: Context) -> list[pulumi.Input[str]]:
    """The client ids of those who may call. Two may call each other, so each is awaited, and none is built first."""
    known = placement.callers(context.stack, context.declared)
    found: list[pulumi.Input[str]] = [
        context.native_of(caller.id, "identity").apply(lambda identity: identity.client_id) for caller in known
    ]
    agent = place(context.deployment.settings).client
    return [*found, *([agent] if agent and context.stack.is_called_by_agent(context.declared) else [])]


def _is_public(context: Context) -> bool:
    return context.declared.workload is not None and context.declared.workload.public


def _issuer(where: Place) -> str:
    return f"https://login.microsoftonline.com/{where.tenant}/v2.0"


def _audiences(where: Place) -> list[pulumi.Input[str]]:
    return [f"api://{where.application}", where.application or ""]
