"""A public Function answers at a function URL, for everybody: what it lets in is its own to decide."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_aws.lambda_ import Function, FunctionUrl, Permission

from alien_iac.resources.context import Context

_EVERYBODY = "*"


@dataclass(frozen=True, kw_only=True)
class Public:
    """A way in from the internet."""

    url: pulumi.Input[str]
    how: str
    """In words, for the review."""
    native: Mapping[str, Any]
    records: pulumi.Input[list[Mapping[str, str]]] = field(default_factory=list)
    """DNS records that the customer has to make."""


def build(context: Context, function: Function) -> Public:
    """The URL, and both permissions that it needs: to call the URL, and to invoke the function through it."""
    props = {"function_name": function.name, "authorization_type": "NONE", "invoke_mode": "BUFFERED"}
    url = context.native("url", FunctionUrl, props, suffix="url")
    call = {"action": "lambda:InvokeFunctionUrl", "function_url_auth_type": "NONE"}
    invoke = {"action": "lambda:InvokeFunction", "invoked_via_function_url": True}
    common = {"function": function.name, "principal": _EVERYBODY}
    permissions = [
        context.native("url-permissions", Permission, {**common, **call}, suffix="url-call"),
        context.native("url-permissions", Permission, {**common, **invoke}, suffix="url-invoke"),
    ]
    return Public(
        url=url.function_url, how="https, at a function URL", native={"url": url, "url-permissions": permissions}
    )
