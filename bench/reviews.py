"""How long a review of the full app takes, over importing the SDK classes that it touches."""

import json
import keyword
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from alien_iac import platforms
from alien_iac.models.platform import Platform
from figure import Figure

ROUNDS = 5
TARGET = 2.0
ALIEN = str(Path(sys.executable).with_name("alien"))
PROJECT = Path(__file__).parents[1] / "examples" / "03-full-app"
SDKS = {"aws": "pulumi_aws", "azure-native": "pulumi_azure_native", "gcp": "pulumi_gcp", "random": "pulumi_random"}


def measure(rounds: int = ROUNDS) -> Iterator[Figure]:
    """Medians of whole processes, run in turn: the command of one cloud, and a bare import of its classes' modules."""
    for platform in platforms.installed():
        if platform is not Platform.LOCAL:
            yield _measured(platform, rounds)


def classes(types: Iterable[str]) -> list[str]:
    """Lines that import the classes of types such as `aws:s3/bucket:Bucket`; the SDKs load a module when it is used."""
    parts = (kind.split(":") for kind in types)
    named = ((SDKS[package], module.partition("/")[0], name) for package, module, name in parts if package in SDKS)
    return sorted({f"from {sdk}.{m}{'_' * keyword.iskeyword(m)} import {name}" for sdk, m, name in named})


def _measured(platform: Platform, rounds: int) -> Figure:
    command = [ALIEN, "review", "--platform", platform.value, "--project", str(PROJECT), "--json"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    loading = [sys.executable, "-c", "\n".join(classes(one["type"] for one in told["resources"]))]
    times = [(_seconds(loading), _seconds(command)) for _ in range(rounds)]
    before, after = (statistics.median(each) for each in zip(*times, strict=True))
    ratio = after / before
    what = f"alien review, full app on {platform.value}, over its SDK's import"
    return Figure(what, f"{ratio:.2f} x ({after:.1f} s)", f"<= {TARGET:.0f} x", ratio <= TARGET)


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start
