"""Rules for native resources, whoever made them: the review applies them, and a pack brings them to Pulumi's CLI.

They are functions of a resource's type and inputs, and import nothing but the standard library: the pack runs in an
environment of its own, where Pulumi's policy SDK asks for an older protobuf.
"""

import shutil
from importlib import metadata
from pathlib import Path

_REQUIREMENTS = "requirements.txt"


def pack_folder() -> Path:
    """The folder that Pulumi's CLI takes as `--policy-pack`."""
    return Path(__file__).with_name("policy_pack")


def copy_pack(to: Path) -> None:
    """Put the pack into a folder, where its environment can be made: it asks for this version of the library."""
    shutil.copytree(pack_folder(), to, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    needs = f"alien-iac[policy]=={metadata.version('alien-iac')}\n"
    (to / _REQUIREMENTS).write_text(needs, encoding="utf-8")
