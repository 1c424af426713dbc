"""All that a control plane keeps, of one instant, in one file; and a control plane made from such a file.

The file is a tar: `about.json`, a file of JSON lines for each table as it was in one snapshot, then the folder's files.
It is the same for SQLite and Postgres, so that one can become the other. It holds the folder's keys: keep it as safe.
"""

import base64
import io
import json
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, RowMapping, Table, func, insert, select, text

from alien_iac.control import commands as life
from alien_iac.control import trust
from alien_iac.control.store import audit, commands, releases
from alien_iac.control.store.engine import Store, Transaction
from alien_iac.control.store.migrations import revision, upgrade
from alien_iac.control.store.tables import CODES, COMMANDS, DESIRED, METADATA, Instant
from alien_iac.control.trust import OnlineKeys
from alien_iac.errors import Conflict, InvalidInput
from alien_iac.protocol import arc

FORMAT = 1
FOLDERS = ("keys", "blobs", "bodies")
FILES = ("admin-token",)
_ABOUT = "about.json"
_TABLES = "tables"
_DATA = "files"
_ROWS = 500
_UNFINISHED = ".upload-"


def write(store: Store, folder: Path, file: Path, now: datetime) -> int:
    """Write a backup, readable by its owner only, whole or not at all; its size in bytes. The server may run meanwhile.

    What a row names was written before the row, so that files read after the rows have all of them.
    """
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as whole:  # made with mode 0600
        new = Path(whole.name)
        try:
            with tarfile.open(fileobj=whole, mode="w|gz") as tar:
                with store.reader.connect() as connection:
                    _put_tables(tar, connection, now)
                _put_files(tar, folder)
            whole.flush()
            new.replace(file)
        finally:
            new.unlink(missing_ok=True)
    return file.stat().st_size


def _put_tables(tar: tarfile.TarFile, connection: Connection, now: datetime) -> None:
    about = {"format": FORMAT, "schema": revision(connection), "at": now.isoformat()}
    _put(tar, _ABOUT, json.dumps(about).encode())
    for table in METADATA.sorted_tables:
        with tempfile.TemporaryFile() as lines:
            for row in connection.execution_options(yield_per=_ROWS).execute(select(table)).mappings():
                lines.write(json.dumps(_plain(table, row)).encode() + b"\n")
            info = tarfile.TarInfo(f"{_TABLES}/{table.name}")
            info.size = lines.tell()
            lines.seek(0)
            tar.addfile(info, lines)


def _put_files(tar: tarfile.TarFile, folder: Path) -> None:
    places = [folder / name for name in FILES]
    for name in FOLDERS:
        places += sorted((folder / name).rglob("*"))
    for place in places:
        if place.is_file() and not place.name.startswith(_UNFINISHED):
            tar.add(place, f"{_DATA}/{place.relative_to(folder).as_posix()}")


def _put(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def read(store: Store, folder: Path, file: Path) -> datetime:
    """Fill an empty database and an empty folder; the instant of the backup.

    Conflict where something is there already; InvalidInput for a file that is no backup, Unsupported for one of a newer
    version. The rows come in one transaction: after a failure empty the folder and try again.
    """
    if any((folder / name).exists() for name in (*FOLDERS, *FILES)):
        raise Conflict(f"{folder} has a control plane already", hint="restore into an empty folder")
    try:
        with tarfile.open(file, "r|gz") as tar:
            return _read(store, folder, tar)
    except (tarfile.TarError, KeyError, ValueError, EOFError, OSError) as error:
        raise InvalidInput(f"{file} is not a whole backup of a control plane: {error}") from error


def _read(store: Store, folder: Path, tar: tarfile.TarFile) -> datetime:
    members = iter(tar)
    about = json.loads(_content(tar, next(members)))
    if about["format"] != FORMAT:
        raise InvalidInput(f"the backup is of format {about['format']}, not {FORMAT}")
    with store.writer.connect() as connection:
        if revision(connection) is not None:
            raise Conflict("the database has tables already", hint="restore into an empty database")
    upgrade(store.writer, about["schema"])
    tables = {table.name: table for table in METADATA.sorted_tables}
    with store.writer.begin() as connection:
        for member in members:
            kind, _, name = member.name.partition("/")
            if kind == _TABLES:
                _fill(connection, tables[name], tar.extractfile(member) or ())
            else:
                _extract(tar, member, folder, name)
        _set_sequences(connection)
    upgrade(store.writer)
    return datetime.fromisoformat(about["at"])


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    found = tar.extractfile(member)
    return found.read() if found else b""


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, name: str) -> None:
    member.name = name
    tar.extract(member, folder, filter="data")
    place = folder / name
    place.chmod(0o600)
    for parent in place.relative_to(folder).parents:
        (folder / parent).chmod(0o700)


def _fill(connection: Connection, table: Table, lines: Iterable[bytes]) -> None:
    rows: list[dict[str, Any]] = []
    for line in lines:
        rows.append(_typed(table, json.loads(line)))
        if len(rows) == _ROWS:
            connection.execute(insert(table), rows)
            rows = []
    if rows:
        connection.execute(insert(table), rows)


def _plain(table: Table, row: RowMapping) -> dict[str, Any]:
    return {column.name: _text(row[column.name]) for column in table.columns}


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _typed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(table.c[name].type, value) for name, value in row.items()}


def _value(kind: object, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, Instant):
        return datetime.fromisoformat(value)
    return base64.b64decode(value) if isinstance(kind, LargeBinary) else value


def _set_sequences(connection: Connection) -> None:
    """Postgres does not see that numbers were given out by hand."""
    if connection.dialect.name != "postgresql":
        return
    for table, column in _numbered():
        highest = connection.execute(select(func.max(table.c[column]))).scalar() or 0
        sequence = f"pg_get_serial_sequence('{table.name}', '{column}')"
        connection.execute(text(f"SELECT setval({sequence}, :next, false)"), {"next": highest + 1})


def _numbered() -> Iterator[tuple[Table, str]]:
    for table in METADATA.sorted_tables:
        for column in table.primary_key.columns:
            if column.autoincrement is True and isinstance(column.type, BigInteger | Integer):
                yield table, column.name


def settle(transaction: Transaction, keys: OnlineKeys, at: datetime) -> int:
    """After a restore: nothing that was in flight then goes on by itself; how many commands that ended.

    Versions that agents have seen since then must not come again: revisions and signed metadata go past them.
    """
    waiting = transaction.all(select(COMMANDS).where(COMMANDS.c.state.not_in(arc.TERMINAL)))
    for row in waiting:
        old = commands.change(transaction, row["id"])
        commands.save(transaction, old, life.restored(old, transaction.now))
    ahead = int(transaction.now.timestamp())
    for row in transaction.all(select(DESIRED.c.deployment_id, DESIRED.c.revision)):
        mine = DESIRED.c.deployment_id == row["deployment_id"]
        transaction.run(DESIRED.update().where(mine).values(revision=max(row["revision"] + 1, ahead)))
    transaction.run(CODES.update().where(CODES.c.used_at.is_(None)).values(expires_at=transaction.now))
    repository = releases.repository(transaction)
    if repository is not None:
        releases.write_metadata(transaction, trust.sign(repository, keys, transaction.now, anew=True))
    audit.append(transaction, "restore", "control.restore", at.isoformat(), commands=len(waiting))
    return len(waiting)
