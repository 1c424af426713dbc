"""The stack output `alien`: what the agent and the command line know about a deployment after an update.

The planner exports it beside the program's own outputs. It holds names and places, never a secret.
"""

from typing import Literal

from alien_iac.protocol.wire import Open

KEY = "alien"


class Invoke(Open):
    """How the agent calls a Function with its own identity.

    `http`: POST to `url` with the token in `token_file`, on this machine. `lambda`: the function `name` in `region`.
    `cloud-run`: POST to `url` with an identity token for it. `azure-function`: POST to `url` with a token for `name`,
    the application that protects it.
    """

    kind: Literal["http", "lambda", "cloud-run", "azure-function"]
    url: str = ""
    token_file: str = ""
    name: str = ""
    region: str = ""


class Health(Open):
    """Where a workload's health shows. `heartbeat`: it reports itself; `http`: `url` answers 2xx; `tcp`: it accepts.

    `process`: the platform says that it runs, and there is nothing more to ask.
    """

    kind: Literal["heartbeat", "http", "tcp", "process"]
    url: str = ""


class Workload(Open):
    """One Function or Container of the deployment."""

    id: str
    type: Literal["worker", "container"]
    commands: bool = False
    public_url: str | None = None
    health: Health
    invoke: Invoke | None = None
    token_file: str | None = None
    """The token that this workload shows to the agent."""
    token_secret: str | None = None
    """The Secret whose value it shows, where it runs on a cloud; `secrets` says where that is."""


class Kept(Open):
    """A resource whose data outlives the deployment."""

    id: str
    type: Literal["storage", "kv", "queue", "secret", "volume"]
    place: str
    """Where its data is: a path, a bucket, a table."""


class DeploymentOutputs(Open):
    """All of it."""

    platform: str
    workloads: tuple[Workload, ...] = ()
    kept: tuple[Kept, ...] = ()
    secrets: dict[str, str] = {}
    """Secret id to where its value is set: on `local` the path of the encrypted file."""
    frozen: tuple[str, ...] = ()
    """The ids of components that no release may touch without the customer's approval."""
