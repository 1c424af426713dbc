"""Plugins that are started before they are asked for."""

import subprocess
import sys
from pathlib import Path

from alien_iac.engine.command import EmbeddedPulumi
from alien_iac.engine.plugins import Ahead, Found, Plugin
from alien_iac.errors import Unavailable

FOUND = Found(("plugin",))


def sleeping() -> Plugin:
    words = [sys.executable, "-c", "import time; time.sleep(60)"]
    return Plugin(subprocess.Popen(words, text=True, process_group=0), 1)


def failing() -> Plugin:
    raise Unavailable("it printed no port")


def test_one_that_was_begun_has_one_user() -> None:
    ahead = Ahead()
    ahead.begin(FOUND, sleeping)
    ahead.begin(FOUND, failing)  # it is begun already
    taken = ahead.take(FOUND)
    assert taken is not None
    assert ahead.take(FOUND) is None
    ahead.end()
    assert taken.process.poll() is None
    taken.end()
    assert taken.process.wait(10) != 0


def test_those_that_nobody_took_are_ended() -> None:
    ahead, begun = Ahead(), sleeping()
    ahead.begin(FOUND, lambda: begun)
    ahead.end()
    assert begun.process.wait(10) != 0


def test_whoever_asks_starts_again_what_failed_ahead() -> None:
    ahead = Ahead()
    ahead.begin(FOUND, failing)
    assert ahead.take(FOUND) is None
    ahead.end()


def test_what_cannot_be_unlocked_is_left_to_the_command_itself(tmp_path: Path) -> None:
    EmbeddedPulumi().unlock(["up", "--stack", "none"], str(tmp_path), {})
