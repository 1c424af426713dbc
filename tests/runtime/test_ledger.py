"""The ledger of created objects against a model: what is noted is waited for until it was told, whatever happens."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from alien_iac.runtime.local.ledger import Created, Ledger

KEYS = st.sampled_from(["a", "b/ü", "c"])
TAGS = st.sampled_from(["1", "2"])


class LedgerModel(RuleBasedStateMachine):
    """A dictionary of key to (tag, waits, attempts) says what the file must say; `row` tells lives of a key apart."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.ledger = Ledger(Path(self.folder.name))
        self.model: dict[str, tuple[str, bool, int]] = {}
        self.row: dict[str, int] = {}
        self.rows = 0
        self.held: list[tuple[Created, int]] = []

    def put(self, key: str, tag: str, *, waits: bool) -> None:
        if key not in self.model:
            self.rows += 1
            self.row[key] = self.rows
        self.model[key] = (tag, waits, 0)

    @rule(objects=st.dictionaries(KEYS, TAGS))
    def begin_storage(self, objects: dict[str, str]) -> None:
        self.ledger.begin_storage("files", objects.items())
        for key, tag in objects.items():
            if key not in self.model:
                self.put(key, tag, waits=False)

    @rule(objects=st.dictionaries(KEYS, TAGS))
    def note(self, objects: dict[str, str]) -> None:
        news = {key: tag for key, tag in objects.items() if key not in self.model or self.model[key][0] != tag}
        assert self.ledger.note("files", objects.items()) == len(news)
        for key, tag in news.items():
            self.put(key, tag, waits=True)

    @rule(key=KEYS)
    def forget(self, key: str) -> None:
        self.ledger.forget("files", [key])
        self.model.pop(key, None)

    @rule()
    def begin(self) -> None:
        for created in self.ledger.waiting("files", 10):
            tag, waits, attempts = self.model[created.key]
            assert self.ledger.begin_object(created) == attempts + 1
            self.model[created.key] = (tag, waits, attempts + 1)
            self.held.append((created, self.row[created.key]))

    @rule(given_up=st.booleans())
    def end(self, *, given_up: bool) -> None:
        """What came after a delivery had begun still waits when that ends."""
        for created, row in self.held:
            self.ledger.end_object(created, given_up=given_up)
            tag, _, attempts = self.model.get(created.key, ("", False, 0))
            if tag == created.e_tag and self.row[created.key] == row:
                self.model[created.key] = (tag, False, attempts)
        self.held.clear()

    @rule()
    def restart(self) -> None:
        self.ledger.close()
        self.ledger = Ledger(Path(self.folder.name))

    @invariant()
    def agrees(self) -> None:
        found = {c.key: (c.e_tag, c.attempts) for c in self.ledger.waiting("files", 10)}
        assert found == {key: (tag, attempts) for key, (tag, waits, attempts) in self.model.items() if waits}
        assert self.ledger.keys("files") == self.model.keys()
        assert self.ledger.waiting("other", 10) == []

    def teardown(self) -> None:
        self.ledger.close()
        self.folder.cleanup()


TestLedgerModel = LedgerModel.TestCase
TestLedgerModel.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
