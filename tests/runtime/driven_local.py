"""A Function on this machine, driven by its queue, its storage, and the time that passes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from runtime.driven import KEY, TRIGGERS, Answer, Refused, common, notes
from runtime.runtime_workload import TOKEN, Machine, Running, eventually, queue_binding, rows

from alien_iac.models.triggers import ScheduleTrigger
from alien_iac.protocol import environment
from alien_iac.protocol.bindings import LocalStorage
from alien_iac.runtime.local.ledger import Ledger
from alien_iac.runtime.stores.local_queue import BrokerQueue
from alien_iac.runtime.work import Payload


class Local:
    """Real events: nothing here is recorded."""

    def __init__(self, running: Running, queue: BrokerQueue, folder: Path) -> None:
        self._running = running
        self._queue = queue
        self._folder = folder

    def _post(self, path: str, body: Any, token: str = TOKEN) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"}
        return httpx.post(self._running.url + path, json=body, headers=headers, timeout=30, trust_env=False)

    def command(self, envelope: Mapping[str, Any]) -> dict[str, Any]:
        answered = self._post("/_alien/commands", envelope)
        if answered.status_code != httpx.codes.OK:
            raise Refused(answered.text)
        told: dict[str, Any] = answered.json()
        return told

    def call(self, command: str, parameters: Mapping[str, Any]) -> tuple[int, Any]:
        answered = self._post("/_alien/invoke", {"command": command, "parameters": parameters, "id": "call_1"})
        return answered.status_code, answered.json()

    def message(self, body: str, *, attempt: int = 1) -> bool:  # noqa: ARG002 - the broker counts
        before = len(self.log.splitlines())
        self._queue.send(Payload(body, is_json=True))

        def outcome() -> list[str]:
            return [line for line in self.log.splitlines()[before:] if " message " in line and "outcome=" in line]

        is_done = "outcome=done" in eventually(outcome)[0]
        file = self._folder / "queues" / "jobs.sqlite"
        if is_done:
            eventually(lambda: not rows(file, "SELECT * FROM messages"))
        else:
            assert rows(file, "SELECT * FROM messages")
            self._queue.purge()
        return is_done

    def schedule(self) -> bool:
        """Its last run was a week before; the process has begun with what it missed since."""
        return bool(eventually(lambda: [one for one in self.notes() if one["kind"] == "schedule"]))

    def created(self) -> bool:
        path = self._folder / "files" / KEY
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("hello")
        return bool(eventually(lambda: [one for one in self.notes() if one["kind"] == "created"]))

    def web(self) -> Answer:
        url = f"{self._running.url}/orders/a%20b?page=2&tag=x%2By"
        answered = httpx.post(url, content="hello", trust_env=False)
        return Answer(answered.status_code, answered.headers.multi_items(), answered.text)

    def forged(self) -> list[str]:
        told = self._post("/_alien/commands", {"protocol": "arc.v1"}, token="another").json()
        return [f"{told['code']}: {told['message']}"]

    @property
    def log(self) -> str:
        return self._running.text

    def notes(self) -> list[dict[str, Any]]:
        return notes(self._folder)


@contextmanager
def on_local(source: Path, folder: Path) -> Iterator[Local]:
    """A process under this checkout, beside a broker."""
    machine = Machine(folder)
    try:
        machine.make_queue("jobs", visibility=60)
        (folder / "files").mkdir()
        (folder / "token").write_text(TOKEN)
        _watched_for_a_week(folder / "state")
        broker = machine.broker()
        bindings = {"jobs": queue_binding(broker, "jobs"), "files": LocalStorage(storage_path=str(folder / "files"))}
        env = common("local", folder, {name: told.dump() for name, told in bindings.items()}) | {
            environment.TOKEN_FILE: str(folder / "token"),
            environment.STATE_DIR: str(folder / "state"),
        }
        running = machine.start("-m", "alien_iac.runtime.function", str(source), env=env)
        queue = BrokerQueue(queue_binding(broker, "jobs"), "jobs")
        yield Local(running, queue, folder)
        queue.close()
    finally:
        machine.end()


def _watched_for_a_week(state: Path) -> None:
    """The ledger of a Function whose schedule ran last a week before the last Monday."""
    schedule = next(each for each in TRIGGERS if each["kind"] == "schedule")
    ledger = Ledger(state)
    now = dt.datetime.now(dt.UTC)
    ledger.last_instant(ScheduleTrigger.model_validate(schedule), now - dt.timedelta(days=7))
    ledger.close()
