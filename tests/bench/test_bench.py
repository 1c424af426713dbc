"""The benchmarks still run; what they measure is not judged here."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import commands
import imports
import reviews
import rollouts
import run
from figure import Figure, percentile

FOLDER = Path(run.__file__).parent


def test_every_part_is_in_the_table() -> None:
    measured = {path.stem for path in FOLDER.glob("*.py") if "def measure(" in path.read_text()}
    assert measured == set(run.PARTS)


def test_the_imports_are_measured() -> None:
    figures = list(imports.measure(rounds=1))
    assert all(isinstance(one, Figure) for one in figures)
    assert next(one for one in figures if one.target == "no").met, "Pulumi is loaded by `import alien_iac`"


def test_classes_are_those_of_the_types_that_a_review_tells() -> None:
    types = ["aws:lambda/function:Function", "gcp:compute/uRLMap:URLMap", "azure-native:app:Job", "alien:index:Kv"]
    assert reviews.classes(types) == [
        "from pulumi_aws.lambda_ import Function",
        "from pulumi_azure_native.app import Job",
        "from pulumi_gcp.compute import URLMap",
    ]


def test_a_small_rollout_is_measured() -> None:
    assert rollouts.milliseconds_each(8) > 0


def test_a_part_that_is_not_there_is_said() -> None:
    found = subprocess.run(
        [sys.executable, str(FOLDER / "run.py"), "speed"], capture_output=True, text=True, timeout=60, check=False
    )
    assert found.returncode == 2
    assert "unknown: speed; there are imports" in found.stderr


@pytest.mark.parametrize(("share", "value"), [(0.5, 2), (0.99, 4), (0.0, 1), (1.0, 4)])
def test_percentiles(share: float, value: float) -> None:
    assert percentile([4, 1, 3, 2], share) == value


def test_commands_that_are_lost_doubled_or_mixed_up_are_counted() -> None:
    every = Counter("abcde")
    counts = commands.Counts(sent=every, delivered=Counter("abcdeb"), answered=Counter("abde"))
    assert counts.wrong(kept=Counter("abce")) == 3
