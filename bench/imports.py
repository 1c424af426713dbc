"""How long `alien --help` and `import alien_iac` take over bare Python, and the public SDK's import beside ours."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import uv

from figure import Figure

ROUNDS = 15
ALIEN = str(Path(sys.executable).with_name("alien"))
MEMORY = "import os, {module}; os.system(f'ps -o rss= -p {{os.getpid()}}')"
PEER = "alienplatform==3.3.43"
"""The public SDK, whose import stands beside ours; it has an environment of its own."""
NOT_LOADED = "import sys, alien_iac; sys.exit('pulumi' in sys.modules)"


def measure(rounds: int = ROUNDS) -> Iterator[Figure]:
    """Medians of whole processes, run in turn so that all meet the same machine."""
    with tempfile.TemporaryDirectory() as folder:
        peer = _environment(Path(folder))
        yield from _measured(rounds, {"peer": [peer, "-c", "import alienplatform"]} if peer else {})
        if peer:
            yield Figure(f"memory of a process with {PEER}", f"{_megabytes(peer, 'alienplatform'):.0f} MB")


def _measured(rounds: int, beside: Mapping[str, list[str]]) -> Iterator[Figure]:
    commands = {
        "bare": [sys.executable, "-c", "pass"],
        "help": [ALIEN, "--help"],
        "import": [sys.executable, "-c", "import alien_iac"],
        "runtime": [sys.executable, "-c", "import alien_iac.runtime"],
        **beside,
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(_seconds(command))
    over = {name: 1000 * (statistics.median(times[name]) - statistics.median(times["bare"])) for name in commands}
    loaded = subprocess.run([sys.executable, "-c", NOT_LOADED], check=False).returncode
    yield _figure("alien --help, over bare Python", over["help"], 200)
    yield _figure("import alien_iac, over bare Python", over["import"], 50)
    yield Figure("Pulumi loaded by import alien_iac", "yes" if loaded else "no", "no", not loaded)
    yield _figure("import alien_iac.runtime, over bare Python", over["runtime"], 150)
    if "peer" in over:
        yield Figure(f"import {PEER}, over bare Python", f"{over['peer']:.0f} ms")
    megabytes = _megabytes(sys.executable, "alien_iac.runtime")
    yield Figure("memory of a process with alien_iac.runtime", f"{megabytes:.0f} MB", "< 40 MB", megabytes < 40)  # noqa: PLR2004 - the target


def _environment(folder: Path) -> str | None:
    """The Python of an environment with the public SDK; None where the package index does not have it."""
    program = uv.find_uv_bin()
    made = subprocess.run([program, "venv", "--quiet", "--python", sys.executable, folder], check=False)
    python = str(folder / "bin" / "python")
    install = [program, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, PEER]
    return python if not made.returncode and not subprocess.run(install, check=False).returncode else None


def _megabytes(python: str, module: str) -> float:
    told = subprocess.run([python, "-c", MEMORY.format(module=module)], check=True, capture_output=True)
    return int(told.stdout) / 1024


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def _figure(what: str, milliseconds: float, target: int) -> Figure:
    return Figure(what, f"{milliseconds:.0f} ms", f"< {target} ms", milliseconds < target)
