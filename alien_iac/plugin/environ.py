"""The environment that a process starts in: made from its definition, not inherited from whoever deployed it.

`{port:<workload id>}` in a value becomes that workload's port, and `{file:<path>}` the content of that file.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from alien_iac.errors import NotFound
from alien_iac.plugin.definition import Definition
from alien_iac.protocol.environment import PORT, volume_name
from alien_iac.protocol.local import Layout

MARK = re.compile(r"\{port:(?P<port>[a-z0-9-]+)\}|\{file:(?P<file>[^{}]+)\}")
CODE_MARK = "{code}"
FOLDER_NAME = "ALIEN_WORKLOAD_DIR"
"""Names the workload's folder in all its processes; by it those are found that outlived their keeper."""
INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")
PACKAGES = Path(__file__).parents[2]
"""Where `alien_iac` is imported from."""


def base(inherited: Mapping[str, str]) -> dict[str, str]:
    """What the supervisor gets of the environment of whoever starts it: no credentials, nothing of theirs."""
    kept = {name: inherited[name] for name in INHERITED if name in inherited}
    return {"LANG": "C.UTF-8", "PATH": os.defpath, **kept}


def build(definition: Definition, root: Path, inherited: Mapping[str, str], ports: Mapping[str, int]) -> dict[str, str]:
    """The process's environment. Raises NotFound where a mark names a workload or a file that does not exist."""
    folder = Layout(root).workload(definition.id)
    environ = base(inherited)
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ["PATH"]])
    environ |= {
        "HOME": str(folder / "state"),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONPATH": os.pathsep.join(_python_path(definition.code)),
        "PYTHONUNBUFFERED": "1",
        FOLDER_NAME: str(folder.resolve()),
    }
    if definition.port:
        environ[PORT] = str(definition.port)
    environ |= {volume_name(mount): place for mount, place in definition.volumes.items()}
    return environ | {name: filled(value, ports) for name, value in definition.env.items()}


def _python_path(code: str | None) -> list[str]:
    return [*((code, str(Path(code, ".python"))) if code else ()), str(PACKAGES)]


def filled(text: str, ports: Mapping[str, int], read: Callable[[str], str] | None = None) -> str:
    """The text with its marks replaced, once: what a file holds is not looked at again. Raises NotFound."""

    def value(mark: re.Match[str]) -> str:
        if workload_id := mark["port"]:
            if workload_id not in ports:
                raise NotFound(f"{mark[0]!r} in the environment: no workload {workload_id!r} has a port here")
            return str(ports[workload_id])
        return (read or _content)(mark["file"])

    return MARK.sub(value, text)


def mentioned(texts: Iterable[str]) -> frozenset[str]:
    """The workloads whose port is asked for."""
    return frozenset(mark["port"] for text in texts for mark in MARK.finditer(text) if mark["port"])


def _content(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise NotFound(f"'{{file:{path}}}' in the environment: the file does not open ({error.strerror})") from error
