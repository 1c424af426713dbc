"""What happens in the demo: three customers, three releases, one of them broken, and what must be seen of each."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import httpx

from alien_iac.agent.place import Place
from alien_iac.cli import progress
from alien_iac.cli.demonstration.postgres import Postgres
from alien_iac.cli.demonstration.world import World, at_once
from alien_iac.errors import AlienError
from alien_iac.protocol.api import Deployment, Rollout
from alien_iac.protocol.local import Layout

PEOPLE: Mapping[str, Sequence[tuple[str, bool]]] = MappingProxyType(
    {
        "acme": (("Ada", True), ("Grace", True), ("Edsger", False), ("Barbara", True)),
        "globex": (("Kurt", True), ("Emmy", True)),
        "initech": (("Alan", False), ("Joan", True), ("Tim", True)),
    }
)
POLICY = """\
waves:
  - {name: canary, size: 1, canary: true, bake: 1s}
  - {name: half, size: 50%}
  - {name: rest}
verify: {successes: 2, failures: 2, every: 1s, fresh: 10s, deadline: 30s}
"""
WORKER = Path("stacks") / "worker" / "main.py"
SECOND = ('return {"rows": rows, "count": len(rows)}', 'return {"rows": rows, "count": len(rows), "limit": limit}')
"""v2: the answer says which limit it was asked for."""
THIRD = ("WHERE active", "WHERE is_active")
"""v3: a column that does not exist. The worker loads, and its own health check fails."""
SEEN_S = 40
NEVER_BEGUN = frozenset({"pending", "cancelled", "skipped"})


@dataclass
class Story:
    """The acts, in order. `seen` is what was observed, and whether it was as it must be."""

    world: World
    postgres: Postgres
    seen: list[tuple[str, bool]] = field(default_factory=list)

    def tell(self) -> bool:
        """Play all acts; True when everything was seen."""
        self._enrol()
        self._first()
        self._second()
        self._third()
        return all(ok for _, ok in self.seen)

    def _enrol(self) -> None:
        self._title("A vendor, its keys, and three customers who each run an agent")
        self.world.alien("key", "init", "--vendor", "directory-inc", "--project", str(self.world.project))
        (self.world.project / "rollout.yaml").write_text(POLICY, encoding="utf-8")
        at_once(self._customer, PEOPLE)
        self._wait(lambda: all(one.last_seen for one in self._deployments().values()), "three agents polled for work")

    def _customer(self, customer: str) -> None:
        self.world.enrol(customer)
        self.world.run_agent(customer)
        given = _json(self.postgres.make(customer, PEOPLE[customer]))
        self.world.alien("secret", "set", "database", "--dir", str(self.world.agent_dir(customer)), given=given)

    def _first(self) -> None:
        self._title("Release 1, to everyone")
        self._roll("1")
        self._see("three customers run release 1, healthy", self._all_run("1"))
        for customer in PEOPLE:
            files = Layout(Place(self.world.agent_dir(customer)).data).storage("files")
            (files / "contract.txt").write_text(f"The contract of {customer} is long and secret.", encoding="utf-8")
        self._answers(limit=None)
        found = self._until(lambda: self._ask("acme", "search", words="long contract") == ["contract.txt"])
        self._see("a new document was found by the index by itself", found)
        self._see("the API reached the worker by the queue", self._look_again("acme"))
        self._see("a Container answered a command", self._ask("acme", "index-size", target="index") == 1)

    def _second(self) -> None:
        self._title("Release 2, in waves: the canary first")
        self._edit(*SECOND)
        rollout = self._roll("2")
        self._see("the canary had release 2, healthy, before anyone else began", _canary_first(rollout))
        self._see("three customers run release 2, healthy", self._all_run("2"))
        self._answers(limit=100)

    def _third(self) -> None:
        self._title("Release 3 is broken: it asks for a column that does not exist")
        self._edit(*THIRD)
        rollout = self._roll("3")
        last = rollout[-1]
        (canary,) = [one for one in last.targets if one.wave == "canary"]
        others = {one.deployment_id for one in last.targets if one.wave != "canary"}
        self._see("the canary failed on release 3 and returned to release 2", canary.state == "returned")
        begun = [t for one in rollout for t in one.targets if t.deployment_id in others and t.state not in NEVER_BEGUN]
        self._see("release 3 never reached the other two", not begun and len(others) == len(PEOPLE) - 1)
        back = self._until(lambda: self._all_run("2"))
        self._see("three customers run release 2, healthy", back)
        self._answers(limit=100)

    def _roll(self, version: str) -> list[Rollout]:
        """Release a version, and follow its rollout to the end: all that was seen of it."""
        words = ("release", version, "--project", str(self.world.project), "--detach")
        begun = Rollout.model_validate(self.world.alien(*words))
        told, every = progress.lines(lambda line: self.world.tell(f"  {line}")), []
        for one in progress.versions(self.world.remote, begun.id):
            told(one)
            every.append(one)
        return every

    def _answers(self, limit: int | None) -> None:
        """Each customer's own database and files answer, through two commands."""
        for customer, people in PEOPLE.items():
            active = [{"id": number, "name": name} for number, (name, on) in enumerate(people, 1) if on]
            expected = {"rows": active, "count": len(active)} | ({"limit": limit} if limit else {})
            got = self._ask(customer, "get-active-users")
            self.world.tell(f"  {customer}: get-active-users -> {_json(got)}")
            text = self._ask(customer, "read-file", path="contract.txt")
            whole = got == expected and text == f"The contract of {customer} is long and secret."
            self._see(f"{customer} answered with its own rows and its own file", whole)

    def _ask(self, customer: str, name: str, target: str = "worker", **parameters: object) -> object:
        deployment = self._deployments()[customer].id
        try:
            with self.world.remote.commands() as commands:
                answer: object = commands.invoke(deployment, name, parameters, timeout=20, target=target)
                return answer
        except AlienError as error:
            return f"{type(error).__name__}: {error.message}"

    def _look_again(self, customer: str) -> bool:
        outputs = self.world.alien("agent", "show", "--dir", str(self.world.agent_dir(customer)))["outputs"]
        api = next(one["publicUrl"] for one in outputs["workloads"] if one["id"] == "api")
        return httpx.post(f"{api}/jobs", json={"path": "contract.txt"}).status_code == httpx.codes.ACCEPTED

    def _deployments(self) -> dict[str, Deployment]:
        return {one.customer: one for one in self.world.remote.pages(Deployment, "/deployments")}

    def _all_run(self, version: str) -> bool:
        return all(one.release == version and one.health == "healthy" for one in self._deployments().values())

    def _edit(self, before: str, after: str) -> None:
        path = self.world.project / WORKER
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(before, after), encoding="utf-8")
        self.world.tell(f"  {WORKER}:\n  - {before}\n  + {after}")

    def _until(self, holds: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + SEEN_S
        while not holds():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.3)
        return True

    def _wait(self, holds: Callable[[], bool], claim: str) -> None:
        self._see(claim, self._until(holds))

    def _see(self, claim: str, ok: bool) -> None:  # noqa: FBT001 - what was seen
        self.seen.append((claim, ok))
        self.world.tell(f"  {'✓' if ok else '✗'} {claim}")

    def _title(self, text: str) -> None:
        self.world.tell(f"\n{text}")


def _canary_first(rollout: Sequence[Rollout]) -> bool:
    """Whether, whenever another wave had begun, the canary had succeeded; and whether both was seen."""
    canary = {t.deployment_id for one in rollout for t in one.targets if t.wave == "canary"}
    began_early = any(
        any(t.state not in NEVER_BEGUN for t in one.targets if t.deployment_id not in canary)
        and any(t.state not in progress.GOOD for t in one.targets if t.deployment_id in canary)
        for one in rollout
    )
    return len(canary) == 1 and not began_early and rollout[-1].state == "succeeded"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
