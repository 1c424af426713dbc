"""The review that a release begins with."""

import pytest
from review.review_project import FULL, TWO, Reviewed

from alien_iac.cli import reviewing
from alien_iac.errors import StackInvalid


def test_each_release_is_compared_with_the_one_before(project: Reviewed) -> None:
    told: list[str] = []
    reviewing.check(project.folder, "1", None, ["local"], told.append)
    assert told == []
    project.with_program(FULL.replace('alien.Kv("sessions")', 'alien.Kv("state")'))
    reviewing.check(project.folder, "2", "1", ["local"], told.append)
    (difference,) = told
    assert "+ alien:local:Kv state" in difference
    assert "- alien:local:Kv sessions" in difference


def test_errors_stop_it(project: Reviewed) -> None:
    project.with_program(TWO + '\nalien.Function("other", source="./nowhere")\n')
    with pytest.raises(StackInvalid, match="SOURCE_MISSING"):
        reviewing.check(project.folder, "1", None, ["local"], lambda _: None)


def test_a_program_that_wants_a_customers_config_is_told_and_shipped(project: Reviewed) -> None:
    told: list[str] = []
    project.with_program('import pulumi\npulumi.Config("shop").require("colour")\n' + TWO)
    reviewing.check(project.folder, "1", None, ["local"], told.append)
    assert told[0].startswith("not reviewed for local")
    assert "colour" in told[0]
