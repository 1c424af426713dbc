"""A public name: a global load balancer with a certificate of Google's, over a Cloud Run service or a machine.

The scheme is said everywhere: the provider's default changed between its majors, and a change replaces the address.
"""

from collections.abc import Callable
from typing import Any

import pulumi
from pulumi_gcp.compute import (
    BackendService,
    BackendServiceBackendArgs,
    BackendServiceLogConfigArgs,
    GlobalAddress,
    GlobalForwardingRule,
    ManagedSslCertificate,
    ManagedSslCertificateManagedArgs,
    RegionNetworkEndpointGroup,
    RegionNetworkEndpointGroupCloudRunArgs,
    SSLPolicy,
    TargetHttpProxy,
    TargetHttpsProxy,
    URLMap,
    URLMapDefaultUrlRedirectArgs,
)

from alien_iac.resources.context import Context
from alien_iac_gcp import naming
from alien_iac_gcp.place import place
from alien_iac_gcp.shared import with_apis

SCHEME = "EXTERNAL_MANAGED"
Native = dict[str, Any]
"""Role to its resource."""


def over_service(context: Context, host: str, service: pulumi.Input[str]) -> Native:
    """A load balancer over the Cloud Run service of this name."""
    context = with_apis(context, "compute")
    group = _made(
        context,
        "endpoint-group",
        RegionNetworkEndpointGroup,
        {
            "region": place(context.deployment.settings).region,
            "network_endpoint_type": "SERVERLESS",
            "cloud_run": RegionNetworkEndpointGroupCloudRunArgs(service=service),
        },
    )
    backend = {"protocol": "HTTPS", "backends": [BackendServiceBackendArgs(group=group.id)]}
    return {"endpoint-group": group, **_front(context, host, backend)}


def over_machine(context: Context, host: str, group: pulumi.Input[str], health: pulumi.Input[str]) -> Native:
    """A load balancer over a group of machines with a port of the name `http`."""
    one = BackendServiceBackendArgs(group=group, balancing_mode="UTILIZATION", max_utilization=1.0, capacity_scaler=1.0)
    return _front(context, host, {"protocol": "HTTP", "port_name": "http", "backends": [one], "health_checks": health})


def _front(context: Context, host: str, backend: dict[str, Any]) -> Native:
    log = BackendServiceLogConfigArgs(enable=True, sample_rate=1.0)
    settings = {"load_balancing_scheme": SCHEME, "log_config": log, **backend}
    address = _made(
        context, "address", GlobalAddress, {"address_type": "EXTERNAL", "ip_version": "IPV4", **_labels(context)}
    )
    service = _made(context, "backend", BackendService, settings)
    return {
        "address": address,
        "backend": service,
        **_https(context, host, address, service),
        **_redirect(context, address),
    }


def _https(context: Context, host: str, address: GlobalAddress, service: BackendService) -> Native:
    domains = ManagedSslCertificateManagedArgs(domains=[host])
    certificate = _made(context, "certificate", ManagedSslCertificate, {"managed": domains}, of=host)
    policy = _made(context, "tls-policy", SSLPolicy, {"profile": "MODERN", "min_tls_version": "TLS_1_2"})
    routes = _made(context, "routes", URLMap, {"default_service": service.id})
    front = {"url_map": routes.id, "ssl_certificates": [certificate.id], "ssl_policy": policy.id}
    proxy = _made(context, "https-proxy", TargetHttpsProxy, front)
    rule = _made(context, "https-rule", GlobalForwardingRule, _rule(context, address, proxy.id, "443"))
    return {
        "certificate": certificate,
        "tls-policy": policy,
        "routes": routes,
        "https-proxy": proxy,
        "https-rule": rule,
    }


def _redirect(context: Context, address: GlobalAddress) -> Native:
    """Plain http answers nothing but where https is."""
    redirect = URLMapDefaultUrlRedirectArgs(
        https_redirect=True, strip_query=False, redirect_response_code="MOVED_PERMANENTLY_DEFAULT"
    )
    routes = _made(context, "redirect", URLMap, {"default_url_redirect": redirect})
    proxy = _made(context, "http-proxy", TargetHttpProxy, {"url_map": routes.id})
    rule = _made(context, "http-rule", GlobalForwardingRule, _rule(context, address, proxy.id, "80"))
    return {"redirect": routes, "http-proxy": proxy, "http-rule": rule}


def _labels(context: Context) -> dict[str, Any]:
    return {"labels": {"resource": context.declared.id}}


def _rule(context: Context, address: GlobalAddress, target: pulumi.Output[str], port: str) -> dict[str, Any]:
    return {
        **_labels(context),
        "ip_address": address.address,
        "ip_protocol": "TCP",
        "port_range": port,
        "load_balancing_scheme": SCHEME,
        "target": target,
    }


def _made(context: Context, role: str, make: Callable[..., Any], props: dict[str, Any], *, of: str = "") -> Any:
    """`of`: what a change of it replaces the resource, and so belongs into its name."""
    part = f"{role}-{of}".replace(".", "-") if of else role
    name = naming.name(context.deployment.config, "compute", context.declared.id, part)
    return context.native(role, make, {"name": name, **props}, suffix=role)
