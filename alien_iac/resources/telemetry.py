"""The variables by which a workload finds where its telemetry goes: those that every OpenTelemetry SDK reads.

An author who names another endpoint in `env` means it: then none of these are given, since a token is among them.
"""

from urllib.parse import quote

import pulumi

from alien_iac.models.declared import Declared
from alien_iac.models.platform import Platform
from alien_iac.protocol import environment as names
from alien_iac.protocol.local import Layout, file_reference
from alien_iac.protocol.telemetry.levels import WORKLOAD_HEADER
from alien_iac.resources.context import Context
from alien_iac.resources.deployment import Deployment

Variables = dict[str, pulumi.Input[str]]


def telemetry(context: Context) -> Variables:
    """Nothing where the deployment has no endpoint.

    On `local` that is the agent, which knows a workload by its token; elsewhere it is what `alien:telemetryEndpoint`
    says, with the deployment's token for telemetry. Nothing ever connects to the workload.
    """
    declared, deployment = context.declared, context.deployment
    endpoint = deployment.config.telemetry_endpoint
    if endpoint is None or names.OTLP_ENDPOINT in context.recorded.given["env"]:
        return {}
    told: Variables = {
        names.OTLP_ENDPOINT: endpoint,
        names.OTLP_PROTOCOL: "http/protobuf",
        names.OTLP_SERVICE: declared.id,
    }
    return {**told, **_headers(declared, deployment)}


def _headers(declared: Declared, deployment: Deployment) -> Variables:
    who = f"{WORKLOAD_HEADER}={declared.id}"
    if deployment.platform is Platform.LOCAL:
        token = file_reference(Layout(deployment.local_dir).token(declared.id))
        return {names.OTLP_HEADERS: f"authorization=Bearer%20{token},{who}"}
    if deployment.config.telemetry_token is None:
        return {names.OTLP_HEADERS: who}
    given = quote(deployment.config.telemetry_token.get_secret_value())
    return {names.OTLP_HEADERS: pulumi.Output.secret(f"authorization=Bearer%20{given},{who}")}
