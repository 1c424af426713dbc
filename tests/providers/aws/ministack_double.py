"""A double of Pulumi's AWS provider, for tests alone: it makes a stack's resources on MiniStack, through boto3.

The stack program, its components and its artifacts are the real ones, and so are the calls to AWS's own API. It is not
the real provider, and leaves out:

- update, delete, refresh and import: it only creates, once;
- waiting until a resource is ready, and trying again what failed;
- the provider's own defaults for properties that the program does not set, but for those that `ministack_steps` names;
- credentials: the account is the one whose number is the access key, and its root makes everything;
- the types in `ministack_types.SKIPPED`, each with its reason there. A type in no table is an error.

MiniStack checks signatures and policies here, and runs a Function with its role's credentials, in a process beside it
and in its own Python: the artifacts are packaged for this machine and that Python, and are otherwise as in the cloud.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from providers.aws.ministack_account import Account, Inputs
from providers.aws.ministack_types import SKIPPED, TYPES
from runtime.stores_aws import MiniStack

from alien_iac.testing.monitor import Outputs

PROVIDER = "pulumi:providers:aws"
_PROVIDERS = "pulumi:providers:"


class ProviderDouble:
    """Stands for the provider in one account. `made_up`: the outputs of what is left out, and what invokes answer."""

    def __init__(self, cloud: MiniStack, number: str, made_up: Outputs) -> None:
        self._account = Account(cloud, number)
        self._made_up = made_up
        self._guard = threading.Lock()
        self._made: dict[tuple[str, str], Mapping[str, Any]] = {}

    @property
    def made(self) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        """Type and logical name of what was made, to what AWS told of it."""
        with self._guard:
            return dict(self._made)

    def outputs(self, kind: str, name: str, inputs: Inputs) -> Mapping[str, Any]:
        """Make a resource, and tell its outputs. LookupError for a type that is in no table."""
        made_up = self._made_up(kind, name, inputs)
        if kind == PROVIDER:
            self._configure(inputs)
        if not name or kind.startswith(_PROVIDERS) or kind in SKIPPED:
            return made_up
        if kind not in TYPES:
            raise LookupError(f"{kind} ({name}) is neither among the types that the double makes nor among the skipped")
        told = TYPES[kind](self._account, inputs)
        with self._guard:
            self._made[kind, name] = told
        return {**made_up, **told}

    def _configure(self, inputs: Inputs) -> None:
        """As the provider does: look which account this is, and tag all that is made in it."""
        number = self._account.client("sts").get_caller_identity()["Account"]
        allowed = json.loads(inputs["allowedAccountIds"])
        if number not in allowed:
            raise PermissionError(f"AWS account {number} is not among the allowed ones: {', '.join(allowed)}")
        self._account = Account(self._account.cloud, number, json.loads(inputs["defaultTags"])["tags"])
