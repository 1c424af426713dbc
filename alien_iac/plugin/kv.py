"""`alien:local:Kv`: a folder with the SQLite file of a key-value store."""

from contextlib import closing
from pathlib import Path

from alien_iac.plugin import files
from alien_iac.plugin.kind import Call, Failure, Kind, Live, within
from alien_iac.plugin.sqlite import connect
from alien_iac.protocol import local, stores
from alien_iac.protocol.wire import Wire


class KvInputs(Wire):
    """Where the store's folder is."""

    data_dir: str


class KvKind(Kind[KvInputs]):
    """Its id is its folder. One that is there already is taken with what it holds."""

    token = local.KV
    about = "A key-value store in a SQLite file."
    model = KvInputs
    replaces = frozenset({"dataDir"})

    def check(self, inputs: KvInputs, call: Call) -> list[Failure]:
        return within(call, dataDir=inputs.data_dir)

    def create(self, inputs: KvInputs, call: Call) -> Live:
        del call
        folder = Path(inputs.data_dir)
        files.folder(folder)
        with closing(connect(folder / stores.KV_FILE)) as database:
            database.executescript(stores.KV_DDL)
        return Live(inputs.data_dir)

    def read(self, identity: str, inputs: KvInputs | None, call: Call) -> Live | None:
        folder = inputs.data_dir if inputs else identity
        if files.outside(folder, call.root) or not Path(folder, stores.KV_FILE).is_file():
            return None
        return Live(folder, inputs={"dataDir": folder})

    def update(self, old: KvInputs, new: KvInputs, call: Call) -> Live:
        del old
        return self.create(new, call)

    def delete(self, inputs: KvInputs, call: Call) -> None:
        files.remove(Path(inputs.data_dir), call.root)
