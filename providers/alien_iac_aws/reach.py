"""A public Function answers at a function URL, for everybody: what it lets in is its own to decide."""

from typing import Any

from pulumi_aws.lambda_ import Function, FunctionUrl, Permission

from alien_iac.resources.context import Context

_EVERYBODY = "*"


def build(context: Context, function: Function) -> dict[str, Any]:
    """The URL, and both permissions that it needs: to call the URL, and to invoke the function through it."""
    props = {"function_name": function.name, "authorization_type": "NONE", "invoke_mode": "BUFFERED"}
    url = context.native("url", FunctionUrl, props, suffix="url")
    call = {"action": "lambda:InvokeFunctionUrl", "function_url_auth_type": "NONE"}
    invoke = {"action": "lambda:InvokeFunction", "invoked_via_function_url": True}
    common = {"function": function.name, "principal": _EVERYBODY}
    return {
        "url": url,
        "url-permissions": [
            context.native("url-permissions", Permission, {**common, **call}, suffix="url-call"),
            context.native("url-permissions", Permission, {**common, **invoke}, suffix="url-invoke"),
        ],
    }
