"""A Pulumi project in a folder, run by the embedded engine with the real plugin, as `pulumi up` runs it."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi.automation as auto

from alien_iac.engine.command import EmbeddedPulumi

CONFIG = {"alien:platform": "local", "alien:prefix": "acme-x1y2z3", "alien:retain": "false"}
COMPONENTS = ("alien:index:", "pulumi:pulumi:Stack")


@dataclass(frozen=True)
class Project:
    """Its folder holds `Pulumi.yaml`, the program, the state and the deployment's data."""

    folder: Path

    @classmethod
    def below(cls, folder: Path, program: str) -> "Project":
        (folder / "program").mkdir()
        (folder / "backend").mkdir()
        (folder / "program" / "__main__.py").write_text(program)
        plugin = Path(sys.executable).parent
        (folder / "Pulumi.yaml").write_text(
            "name: shop\nruntime: python\nmain: program\n"
            f"plugins:\n  providers:\n    - name: alien\n      path: {plugin}\n"
        )
        return cls(folder)

    def open(self, config: dict[str, str] | None = None) -> auto.Stack:
        environment = {
            "PULUMI_BACKEND_URL": f"file://{self.folder}/backend",
            "PULUMI_CONFIG_PASSPHRASE": "shop",
            "PULUMI_HOME": str(self.folder / "home"),
        }
        options = auto.LocalWorkspaceOptions(
            work_dir=str(self.folder), env_vars=environment, pulumi_command=EmbeddedPulumi()
        )
        stack = auto.create_or_select_stack("acme", work_dir=str(self.folder), opts=options)
        stack.set_all_config({key: auto.ConfigValue(value) for key, value in {**CONFIG, **(config or {})}.items()})
        return stack

    @property
    def data(self) -> Path:
        return self.folder / ".alien" / "acme-x1y2z3"


def natives(stack: auto.Stack) -> list[str]:
    """What the state has beside components: type and name."""
    deployment: Mapping[str, Any] = stack.export_stack().deployment or {}
    found = [resource["urn"].split("::")[-2:] for resource in deployment.get("resources") or ()]
    types = [(kind.rpartition("$")[2], name) for kind, name in found]
    return sorted(f"{kind} {name}" for kind, name in types if not kind.startswith(COMPONENTS))
