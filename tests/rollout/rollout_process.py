"""A runner in a process of its own, for the tests that kill it: `rollout_process.py FOLDER PAUSE_SECONDS`."""

import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from rollout.rollout_store import SqliteStore

from alien_iac.rollout.effects import Runner
from alien_iac.rollout.events import Notify, Return, SetDesired
from alien_iac.rollout.places import FilePlace
from alien_iac.rollout.service import Rollouts
from alien_iac.rollout.store import Pending


class SlowStore(SqliteStore):
    """Takes its time around each effect, so that a kill falls into the middle of one."""

    pause = 0.0

    def set_desired(self, effects: Sequence[tuple[Pending, SetDesired | Return]]) -> None:
        time.sleep(self.pause)
        super().set_desired(effects)
        time.sleep(self.pause)


def main() -> None:
    folder = Path(sys.argv[1])
    store = SlowStore(folder / "store.sqlite")
    store.pause = float(sys.argv[2])
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())

    def notify(rollout_id: str, note: Notify) -> None:
        store.note(rollout_id, note.subject, note.message)

    ring = threading.Event()
    rollouts = Rollouts(store, changed=ring.set)
    runner = Runner(
        rollouts=rollouts,
        store=store,
        place=FilePlace(folder / "runner"),
        signal=ring,
        notify=notify,
        poll_seconds=0.05,
    )
    runner.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    told.wait()
    runner.stop()


if __name__ == "__main__":
    main()
