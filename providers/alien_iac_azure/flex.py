"""A Function from a source: an app on Flex Consumption, with a plan, a storage account and an identity of its own.

The account is the Functions host's: it holds the code and the host's locks. It is reached by identity alone, from
wherever the deployment is made, since that is who uploads the code.
"""

from dataclasses import dataclass
from typing import Any

from pulumi_azure_native.managedidentity import UserAssignedIdentity
from pulumi_azure_native.monitor import DiagnosticSetting
from pulumi_azure_native.storage import BlobContainer, StorageAccount
from pulumi_azure_native.web import (
    AppServicePlan,
    FunctionAppConfigArgs,
    FunctionsDeploymentArgs,
    FunctionsDeploymentStorageArgs,
    FunctionsDeploymentStorageAuthenticationArgs,
    FunctionsRuntimeArgs,
    FunctionsScaleAndConcurrencyArgs,
    IpSecurityRestrictionArgs,
    ManagedServiceIdentityArgs,
    ManagedServiceIdentityType,
    NameValuePairArgs,
    SiteConfigArgs,
    SkuDescriptionArgs,
    WebApp,
    WebAppFtpAllowed,
    WebAppScmAllowed,
)

from alien_iac.models.arguments import FunctionArguments
from alien_iac.models.units import parse_seconds
from alien_iac.protocol import azure_functions
from alien_iac.resources.context import Context
from alien_iac.resources.native import Artifact
from alien_iac_azure import access, account, addresses, bus, callers, logs, naming, network, sizes
from alien_iac_azure.access import Granted
from alien_iac_azure.place import place
from alien_iac_azure.placement import seat
from alien_iac_azure.shared import group, inside
from alien_iac_azure.workload import Variables, environment

_BUS_SETTINGS = "AzureFunctionsJobHost__extensions__serviceBus"
PYTHON = "3.13"
CODE = "code"
PACKAGE = "released-package.zip"
"""The one name under which Flex Consumption takes an app's code."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """The app, and what stands around it."""

    app: WebApp
    native: dict[str, Any]
    granted: Granted


@dataclass(frozen=True, kw_only=True)
class _Host:
    account: StorageAccount
    container: BlobContainer
    code: Artifact
    granted: Granted
    name: str
    sha256: str


def build(context: Context, arguments: FunctionArguments, identity: UserAssignedIdentity, granted: Granted) -> Site:
    """The app. It starts once its code is there and all that it may do is granted."""
    host = _host(context, identity)
    plan = context.native("plan", AppServicePlan, _plan(context), suffix="plan")
    waiting = context.waiting_for([host.code, *host.granted.made, *granted.made])
    app = waiting.native("app", WebApp, _site(context, arguments, identity, host, plan))
    where = {"resource_group_name": group(context), "name": app.name, "allow": False}
    native = {
        "app": app,
        "plan": plan,
        "host": host.account,
        "code-container": host.container,
        "code": host.code,
        # The two of Azure's ways to upload code that know passwords.
        "ftp": context.native("ftp", WebAppFtpAllowed, where, suffix="ftp"),
        "scm": context.native("scm", WebAppScmAllowed, where, suffix="scm"),
        "logs": context.native("logs", DiagnosticSetting, logs.sent(context, app.id, "FunctionAppLogs"), suffix="logs"),
        "auth": callers.of_site(context, app.name),
    }
    return Site(app=app, native={role: made for role, made in native.items() if made}, granted=host.granted)


def _host(context: Context, identity: UserAssignedIdentity) -> _Host:
    if context.artifact is None:
        raise TypeError(context.declared.id)
    name = naming.name(context.deployment.config, "account", context.declared.id, "host")
    props, needed = account.props(context, name, admitted=None, resource=context.declared.id)
    store = context.waiting_for(needed).native("host", StorageAccount, props, suffix="host")
    where = {"resource_group_name": group(context), "account_name": store.name}
    inner = {**where, "container_name": CODE, "public_access": "None"}
    container = context.native("code-container", BlobContainer, inner, suffix="code-container")
    granted = access.give(
        context,
        identity,
        access.BLOB_OWNER,
        store.id,
        resource=context.declared.id,
        verb="run its own host",
        native="host-grant",
    )
    client = place(context.deployment.settings).client
    uploaded = {
        "path": str(context.artifact.path),
        "sha256": context.artifact.sha256,
        "url": f"az://{name}/{CODE}/{PACKAGE}",
        "identity": {"clientId": client} if client else None,
    }
    code = context.waiting_for([container]).native("code", Artifact, uploaded, suffix="code")
    return _Host(
        account=store, container=container, code=code, granted=granted, name=name, sha256=context.artifact.sha256
    )


def _plan(context: Context) -> dict[str, Any]:
    return {
        **inside(context, resource=context.declared.id),
        "name": naming.name(context.deployment.config, "plan", context.declared.id),
        "kind": "functionapp",
        "reserved": True,
        "sku": SkuDescriptionArgs(name="FC1", tier="FlexConsumption"),
    }


def _site(
    context: Context, arguments: FunctionArguments, identity: UserAssignedIdentity, host: _Host, plan: AppServicePlan
) -> dict[str, Any]:
    where = seat(context.declared)
    variables = {**environment(context, identity), **_settings(context, arguments, identity, host)}
    return {
        **inside(context, resource=context.declared.id),
        "name": addresses.site(context.deployment.config, context.declared),
        "kind": "functionapp,linux",
        "reserved": True,
        "server_farm_id": plan.id,
        "identity": ManagedServiceIdentityArgs(
            type=ManagedServiceIdentityType.USER_ASSIGNED, user_assigned_identities=[identity.id]
        ),
        "https_only": True,
        "client_affinity_enabled": False,
        "public_network_access": "Enabled",
        "virtual_network_subnet_id": network.subnet(context, where) if where else None,
        "function_app_config": _config(arguments, identity, host),
        "site_config": SiteConfigArgs(
            app_settings=[NameValuePairArgs(name=name, value=value) for name, value in sorted(variables.items())],
            min_tls_version="1.2",
            scm_min_tls_version="1.2",
            ftps_state="Disabled",
            http20_enabled=True,
            remote_debugging_enabled=False,
            **_door(context),
        ),
    }


def _config(arguments: FunctionArguments, identity: UserAssignedIdentity, host: _Host) -> FunctionAppConfigArgs:
    by_identity = FunctionsDeploymentStorageAuthenticationArgs(
        type="UserAssignedIdentity", user_assigned_identity_resource_id=identity.id
    )
    storage = FunctionsDeploymentStorageArgs(
        type="blobContainer", value=f"https://{host.name}.blob.core.windows.net/{CODE}", authentication=by_identity
    )
    return FunctionAppConfigArgs(
        deployment=FunctionsDeploymentArgs(storage=storage),
        runtime=FunctionsRuntimeArgs(name="python", version=PYTHON),
        scale_and_concurrency=FunctionsScaleAndConcurrencyArgs(
            instance_memory_mb=sizes.flex_mib(arguments.memory),
            maximum_instance_count=arguments.concurrency or sizes.FLEX_INSTANCES,
        ),
    )


def _settings(context: Context, arguments: FunctionArguments, identity: UserAssignedIdentity, host: _Host) -> Variables:
    """What Azure's own runtime reads. The content's hash restarts the app when there is new code."""
    timeout = _clock(parse_seconds(arguments.timeout))
    storage = _by_identity("AzureWebJobsStorage", identity) | {"AzureWebJobsStorage__accountName": host.name}
    messages = _by_identity(azure_functions.BUS, identity) | {
        azure_functions.NAMESPACE: bus.full_name(context),
        f"{_BUS_SETTINGS}__maxAutoLockRenewalDuration": timeout,
        # With `concurrency` there are so many instances, and each has one message.
        **({f"{_BUS_SETTINGS}__maxConcurrentCalls": "1"} if arguments.concurrency else {}),
    }
    starts = bool(context.declared.trigger_resources)
    return {
        **storage,
        **(messages if starts else {}),
        "AzureFunctionsJobHost__functionTimeout": timeout,
        "AzureWebJobsDisableHomepage": "true",
        "ALIEN_CODE_SHA256": host.sha256,
    }


def _by_identity(connection: str, identity: UserAssignedIdentity) -> Variables:
    return {f"{connection}__credential": "managedidentity", f"{connection}__clientId": identity.client_id}


def _clock(seconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}"


def _door(context: Context) -> dict[str, Any]:
    """Who reaches the app at all: everybody if it is public, else this deployment's own workloads, by their subnets."""
    workload = context.declared.workload
    if workload is not None and workload.public:
        return {
            "ip_security_restrictions_default_action": "Allow",
            "scm_ip_security_restrictions_default_action": "Deny",
        }
    subnets = [network.subnet(context, where) for where in callers.seats(context)]
    rules = [
        IpSecurityRestrictionArgs(
            name=f"subnet-{number}", action="Allow", priority=100 + number, vnet_subnet_resource_id=subnet
        )
        for number, subnet in enumerate(subnets)
    ]
    return {
        "ip_security_restrictions": rules,
        "ip_security_restrictions_default_action": "Deny",
        "scm_ip_security_restrictions_default_action": "Deny",
    }
