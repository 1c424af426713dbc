"""`alien:local:Secret`: an encrypted file. Its value is set by the command line, or made here once and never again."""

import secrets
from pathlib import Path

from alien_iac.plugin import files, lock
from alien_iac.plugin.kind import Call, Failure, Kind, Live, within
from alien_iac.protocol import local, secretfile
from alien_iac.protocol.wire import Wire

GENERATED_BYTES = 32


class SecretInputs(Wire):
    """Where the file and its key are. `generate`: the value is a random text, made when the resource is."""

    path: str
    key_file: str
    generate: bool = False


class SecretKind(Kind[SecretInputs]):
    """Its id is its file's path. The file need not be there: a value may come later."""

    token = local.SECRET
    about = "An encrypted file with a secret's value."
    model = SecretInputs
    replaces = frozenset({"path", "keyFile"})

    def check(self, inputs: SecretInputs, call: Call) -> list[Failure]:
        return within(call, path=inputs.path, keyFile=inputs.key_file)

    def create(self, inputs: SecretInputs, call: Call) -> Live:
        del call
        path, key_file = Path(inputs.path), Path(inputs.key_file)
        with lock.held(key_file.parent):
            key = _ensure_key(key_file)
            if inputs.generate:
                value = secrets.token_urlsafe(GENERATED_BYTES).encode()
                files.add_private(path, secretfile.seal(value, key))
        return Live(inputs.path)

    def read(self, identity: str, inputs: SecretInputs | None, call: Call) -> Live | None:
        path = Path(inputs.path if inputs else identity)
        if files.outside(str(path), call.root):
            return None
        if (inputs is None or inputs.generate) and not path.is_file():
            return None
        found = {"path": str(path), "keyFile": str(path.parent / call.layout.secret_key.name), "generate": False}
        return Live(str(path), inputs=None if inputs else found)

    def update(self, old: SecretInputs, new: SecretInputs, call: Call) -> Live:
        del old
        return self.create(new, call)

    def delete(self, inputs: SecretInputs, call: Call) -> None:
        """The file; and the key, when it was the last that the key opened."""
        path, key_file = Path(inputs.path), Path(inputs.key_file)
        with lock.held(key_file.parent):
            files.remove(path, call.root)
            if not any(key_file.parent.glob("*.enc")):
                files.remove(key_file, call.root)


def set_value(path: Path, key_file: Path, value: bytes) -> None:
    """Give a secret its value. It is what `alien secret set` does on `local`; workloads see it when they next ask."""
    with lock.held(key_file.parent):
        files.write_private(path, secretfile.seal(value, _ensure_key(key_file)))


def _ensure_key(path: Path) -> bytes:
    files.add_private(path, secretfile.key_text(secretfile.new_key()).encode())
    return secretfile.parse_key(path.read_text())
