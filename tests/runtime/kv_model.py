"""A dictionary with times that says what a store of a Kv must say: the store is given its clock."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alien_iac.runtime.stores.kv import KvStore

KEYS = st.sampled_from(["a", "a:1", "a:2", "b", "B", "a.", "a-"])
Clock = Callable[[], float]


class KvModel(RuleBasedStateMachine):
    """Puts, deletes and scans under conditions while time passes. A test derives from it and makes the store."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000_000.0
        self.model: dict[str, tuple[bytes, float | None, str]] = {}
        self.store = self.opened(lambda: self.now)

    @abstractmethod
    def opened(self, clock: Clock) -> KvStore:
        """The store, empty at the first call, the same at each further one."""

    def there(self, key: str) -> tuple[bytes, float | None, str] | None:
        found = self.model.get(key)
        return None if found is None or (found[1] is not None and found[1] <= self.now) else found

    @rule(
        key=KEYS,
        value=st.binary(max_size=4),
        ttl=st.none() | st.integers(1, 100),
        condition=st.sampled_from(["none", "absent", "version", "wrong"]),
    )
    def put(self, key: str, value: bytes, ttl: int | None, condition: str) -> None:
        there = self.there(key)
        version = {"version": there[2] if there else "none", "wrong": "wrong"}.get(condition)
        wins = {"none": True, "absent": there is None, "version": there is not None, "wrong": False}[condition]
        done = self.store.put(key, value, ttl, if_absent=condition == "absent", if_version=version)
        assert done is wins
        if wins:
            entry = self.store.get(key)
            assert entry is not None
            self.model[key] = (value, None if ttl is None else self.now + ttl, entry.version)

    @rule(key=KEYS, condition=st.sampled_from(["none", "version", "wrong"]))
    def delete(self, key: str, condition: str) -> None:
        there = self.there(key)
        version = {"version": there[2] if there else "none", "wrong": "wrong"}.get(condition)
        wins = there is not None and condition != "wrong"
        assert self.store.delete(key, version) is wins
        if wins:
            del self.model[key]

    @rule(seconds=st.integers(1, 90))
    def pass_time(self, seconds: int) -> None:
        self.now += seconds

    @precondition(lambda self: self.model)
    @rule()
    def reopen(self) -> None:
        self.store = self.opened(lambda: self.now)

    @rule(prefix=st.sampled_from(["", "a", "a:", "b", "x"]), limit=st.integers(1, 4))
    def scan(self, prefix: str, limit: int) -> None:
        found: list[tuple[str, bytes]] = []
        cursor = None
        while True:
            page = self.store.scan(prefix, limit, cursor)
            assert len(page.items) <= limit
            found += [(entry.key, entry.value) for entry in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        live = {key: self.there(key) for key in self.model}
        expected = [(key, value[0]) for key, value in sorted(live.items()) if value and key.startswith(prefix)]
        assert sorted(found) == expected

    @invariant()
    def agrees(self) -> None:
        for key in self.model:
            entry, there = self.store.get(key), self.there(key)
            assert (entry and (entry.value, entry.version)) == (there and (there[0], there[2]))
