"""`alien:local:Queue`: the SQLite file of a queue, and the file with the token that its senders show the broker."""

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from pydantic import Field

from alien_iac.plugin import files
from alien_iac.plugin.kind import Call, Failure, Kind, Live, within
from alien_iac.plugin.sqlite import connect
from alien_iac.protocol import local, stores
from alien_iac.protocol.wire import Wire


class QueueInputs(Wire):
    """The queue's files and settings."""

    file: str
    name: str = Field(min_length=1)
    visibility_seconds: int = Field(ge=1, le=43_200)
    max_receives: int = Field(ge=1, le=100)
    retention_seconds: int = Field(ge=1, le=14 * 86_400)
    token_file: str


class QueueKind(Kind[QueueInputs]):
    """Its id is its file. One that is there already is taken with its messages and its token."""

    token = local.QUEUE
    about = "A queue with visibility timeout and dead letters in a SQLite file."
    model = QueueInputs
    replaces = frozenset({"file"})

    def check(self, inputs: QueueInputs, call: Call) -> list[Failure]:
        return within(call, file=inputs.file, tokenFile=inputs.token_file)

    def create(self, inputs: QueueInputs, call: Call) -> Live:
        del call
        token = ensure_token(Path(inputs.token_file))
        settings = stores.queue_settings(
            name=inputs.name,
            visibility_seconds=inputs.visibility_seconds,
            max_receives=inputs.max_receives,
            retention_seconds=inputs.retention_seconds,
            token=token,
        )
        with closing(connect(Path(inputs.file))) as database:
            database.executescript(stores.QUEUE_DDL)
            database.execute("BEGIN IMMEDIATE")
            database.executemany(stores.SET_META, settings)
            database.execute("COMMIT")
        return Live(inputs.file)

    def read(self, identity: str, inputs: QueueInputs | None, call: Call) -> Live | None:
        """With the settings that the file has; an import expects the token beside it, as `<name>.token`."""
        file = Path(inputs.file if inputs else identity)
        token_file = inputs.token_file if inputs else str(file.with_suffix(".token"))
        if files.outside(str(file), call.root) or not file.is_file() or not Path(token_file).is_file():
            return None
        meta = _meta(file)
        numbers = {
            "visibilitySeconds": int(meta["visibility_seconds"]),
            "maxReceives": int(meta["max_receives"]),
            "retentionSeconds": int(meta["retention_seconds"]),
        }
        return Live(str(file), inputs={"file": str(file), "name": meta["name"], "tokenFile": token_file, **numbers})

    def update(self, old: QueueInputs, new: QueueInputs, call: Call) -> Live:
        """The settings, in place. The token stays, also where its file moves."""
        before, after = Path(old.token_file), Path(new.token_file)
        if before != after and before.is_file():
            files.folder(after.parent)
            before.replace(after)
        return self.create(new, call)

    def delete(self, inputs: QueueInputs, call: Call) -> None:
        for suffix in ("-wal", "-shm", ""):
            files.remove(Path(inputs.file + suffix), call.root)
        files.remove(Path(inputs.token_file), call.root)


def ensure_token(path: Path) -> str:
    """The token in the file, which is made with a random one where there is none."""
    files.add_private(path, secrets.token_hex(32).encode())
    return path.read_text().strip()


def _meta(file: Path) -> dict[str, str]:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
        return dict(database.execute("SELECT key, value FROM meta"))
