"""How long `alien --help` and `import alien_iac` take over bare Python."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from figure import Figure

ROUNDS = 15
ALIEN = str(Path(sys.executable).with_name("alien"))
MEMORY = "import os, alien_iac.runtime; os.system(f'ps -o rss= -p {os.getpid()}')"
NOT_LOADED = "import sys, alien_iac; sys.exit('pulumi' in sys.modules)"


def measure(rounds: int = ROUNDS) -> Iterator[Figure]:
    """Medians of whole processes, run in turn so that all meet the same machine."""
    commands = {
        "bare": [sys.executable, "-c", "pass"],
        "help": [ALIEN, "--help"],
        "import": [sys.executable, "-c", "import alien_iac"],
        "runtime": [sys.executable, "-c", "import alien_iac.runtime"],
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
    megabytes = int(subprocess.run([sys.executable, "-c", MEMORY], check=True, capture_output=True).stdout) / 1024
    yield Figure("memory of a process with alien_iac.runtime", f"{megabytes:.0f} MB", "< 40 MB", megabytes < 40)  # noqa: PLR2004 - the target


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def _figure(what: str, milliseconds: float, target: int) -> Figure:
    return Figure(what, f"{milliseconds:.0f} ms", f"< {target} ms", milliseconds < target)
