"""A release brought up on this machine by Pulumi: the one place where the agent reaches `automation`."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from alien_iac import automation, programs, projects
from alien_iac.agent import shelf
from alien_iac.agent.place import Identity, Place
from alien_iac.agent.shelf import Laid
from alien_iac.protocol.outputs import DeploymentOutputs, Kept

ORPHAN_S = 60.0
"""How long an engine that outlived a killed agent may take to end."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a release would do, as far as the customer's say asks."""

    packages: frozenset[str]
    """Pulumi packages that it uses."""
    touched: frozenset[str] = frozenset()
    """Ids of components that are there and would change."""


class Updates(Protocol):
    """What the agent asks of Pulumi. All calls block. Errors are those of `automation`."""

    def plan(self, laid: Laid) -> Plan:
        """What the release would do. Changes nothing."""

    def up(self, laid: Laid) -> DeploymentOutputs | None: ...

    def destroy(self, laid: Laid) -> tuple[Kept, ...]:
        """Take the deployment down; returns the data that stays."""

    def unlock(self, laid: Laid) -> None:
        """Remove the lock that an earlier life of this agent left."""


class PulumiUpdates:
    """By the real Automation API, with the stack program in a child that gets neither credentials nor agent files."""

    def __init__(self, place: Place, identity: Identity, plugin: Path) -> None:
        self._place = place
        self._identity = identity
        self._plugin = plugin
        self._engine = automation.find_engine(identity.platform)

    def plan(self, laid: Laid) -> Plan:
        found = automation.preview(self._stack(laid))
        return Plan(packages=found.packages, touched=found.touched)

    def up(self, laid: Laid) -> DeploymentOutputs | None:
        return automation.up(self._stack(laid)).deployment

    def destroy(self, laid: Laid) -> tuple[Kept, ...]:
        stack = self._stack(laid)
        kept = automation.kept(stack)
        automation.destroy(stack)
        return kept

    def unlock(self, laid: Laid) -> None:
        """Only the holder of the agent's folder calls this, so whoever holds the lock is a dead agent or its orphan."""
        deadline = time.monotonic() + ORPHAN_S
        while any(_is_alive(holder) for holder in self._holders()) and time.monotonic() < deadline:
            time.sleep(0.5)
        if any(self._holders()):
            automation.cancel(self._stack(laid))

    def _holders(self) -> Iterator[int]:
        """The processes that hold a lock of this Pulumi stack, by their ids."""
        folder = self._place.backend / ".pulumi" / "locks"
        for path in folder.rglob("*.json"):
            yield int(json.loads(path.read_text(encoding="utf-8")).get("pid", 0))

    def _stack(self, laid: Laid) -> automation.Stack:
        shelf.write_stack(self._place, self._identity, laid, self._plugin)
        environment = programs.scrubbed(os.environ, shelf.program_environment(self._identity, laid))
        return automation.Stack(
            folder=self._place.stack,
            name=self._identity.customer,
            program=programs.Program(folder=laid.program, environment=environment),
            command=self._engine,
            environment={
                "PULUMI_CONFIG_PASSPHRASE_FILE": str(projects.passphrase_file(self._place.root)),
                "PULUMI_BACKEND_URL": self._place.backend.as_uri(),
                "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
            },
            home=self._place.home,
        )


def _is_alive(process_id: int) -> bool:
    if process_id in {0, os.getpid()}:
        return False
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
