"""`alien:local:Directory`: a private folder, for a Storage or a volume."""

from pathlib import Path

from alien_iac.plugin import files
from alien_iac.plugin.kind import Call, Failure, Kind, Live, within
from alien_iac.protocol import local
from alien_iac.protocol.wire import Wire


class DirectoryInputs(Wire):
    """Where the folder is."""

    path: str


class DirectoryKind(Kind[DirectoryInputs]):
    """Its id is its path. One that is there already is taken as it is: data that was kept comes back."""

    token = local.DIRECTORY
    about = "A private folder inside the deployment's folder. Its deletion removes all that is in it."
    model = DirectoryInputs
    replaces = frozenset({"path"})

    def check(self, inputs: DirectoryInputs, call: Call) -> list[Failure]:
        return within(call, path=inputs.path)

    def create(self, inputs: DirectoryInputs, call: Call) -> Live:
        del call
        folder = Path(inputs.path)
        files.folder(folder)
        folder.chmod(0o700)
        return Live(inputs.path)

    def read(self, identity: str, inputs: DirectoryInputs | None, call: Call) -> Live | None:
        path = inputs.path if inputs else identity
        if not Path(path).is_dir() or files.outside(path, call.root):
            return None
        return Live(path, inputs={"path": path})

    def update(self, old: DirectoryInputs, new: DirectoryInputs, call: Call) -> Live:
        del old
        return self.create(new, call)

    def delete(self, inputs: DirectoryInputs, call: Call) -> None:
        files.remove(Path(inputs.path), call.root)
