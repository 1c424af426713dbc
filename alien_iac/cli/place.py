"""Which deployment on this machine is meant: a customer of the project here, or an agent's folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from alien_iac import automation, errors, projects
from alien_iac.agent.place import Place
from alien_iac.agent.store import Store
from alien_iac.protocol.local import Layout
from alien_iac.protocol.outputs import DeploymentOutputs

F = TypeVar("F", bound=Callable[..., Any])


def place_options(command: F) -> F:
    """The options `customer`, `agent_dir` and `project`, which the functions below take."""
    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    customer = click.option("--customer", help="A customer of the project here.")
    agent = click.option("--dir", "agent_dir", type=folder, envvar="ALIEN_AGENT_DIR", help="The folder of an agent.")
    project = click.option("--project", type=folder, default=".", help="Folder of the project, or one in it.")
    return customer(agent(project(command)))


def outputs(customer: str | None, agent_dir: Path | None, project: Path) -> DeploymentOutputs:
    """What the last update says of the deployment. Raises NotFound before there was one."""
    found = _of_agent(agent_dir) if agent_dir else automation.outputs(_stack(customer, project)).deployment
    if found is None:
        raise errors.NotFound("nothing is deployed there yet", hint="deploy it first: `alien up`, or a release")
    return found


def data(customer: str | None, agent_dir: Path | None, project: Path) -> Layout:
    """The files of a deployment on `local`. They may be written before its first update."""
    return Layout(Place(agent_dir.resolve()).data if agent_dir else _local_dir(customer, project))


def _of_agent(folder: Path) -> DeploymentOutputs | None:
    store = Store(Place(folder.resolve()).state)
    try:
        return store.outputs
    finally:
        store.close()


def _stack(customer: str | None, project: Path) -> automation.Stack:
    return automation.open_stack(project, _named(customer))


def _local_dir(customer: str | None, project: Path) -> Path:
    return projects.local_dir(project, _named(customer))


def _named(customer: str | None) -> str:
    if customer is None:
        raise errors.InvalidInput("which deployment?", hint="name it with --customer, or an agent's folder with --dir")
    return customer
