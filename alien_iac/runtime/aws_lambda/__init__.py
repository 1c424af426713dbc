"""A Function on AWS Lambda: `alien_iac.runtime.aws_lambda.handler`, over the code beside it.

`shapes` says which events there are, `entry` translates them, and `web` does so for HTTP.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    """`handler` is made when Lambda asks for it, once a process: the vendor's code is loaded then, before any event."""
    if name != "handler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from alien_iac.runtime.aws_lambda.entry import start  # noqa: PLC0415 - importing this package starts nothing

    return start()
