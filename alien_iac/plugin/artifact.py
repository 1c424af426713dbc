"""`alien:index:Artifact`: a file's bytes as one object in the customer's own store, by the engine's identity there."""

import hashlib
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, ObjectStore, from_url

from alien_iac.errors import InvalidInput, NotFound, UpdateFailed
from alien_iac.plugin import identity as who
from alien_iac.plugin.kind import Call, Failure, Kind, Live
from alien_iac.protocol import code
from alien_iac.protocol.wire import Wire

SCHEMES = ("s3", "gs", "az", "file")
"""`file` is for a store that is mounted on this machine."""
_FORMS = "s3://bucket/key, gs://bucket/key, az://account/container/key or file:///path"


class ArtifactInputs(Wire):
    """The file here, what is in it, and the URL of the object there."""

    path: str
    sha256: str
    url: str
    identity: dict[str, str] | None = None


class ArtifactKind(Kind[ArtifactInputs]):
    """Its id is its URL. New content for the same URL is written over the old; another URL is another object."""

    token = code.ARTIFACT
    about = "A file's bytes as one object in a store of S3, Google Cloud Storage or Azure Blob Storage."
    model = ArtifactInputs
    replaces = frozenset({"url"})
    in_folder = False
    computed = {"size": "integer"}

    def check(self, inputs: ArtifactInputs, call: Call) -> list[Failure]:
        del call
        scheme, _, rest = inputs.url.partition("://")
        wrong = scheme not in SCHEMES or "/" not in rest or rest.endswith("/")
        return [Failure("url", f"must be {_FORMS}, not {inputs.url!r}")] if wrong else []

    def create(self, inputs: ArtifactInputs, call: Call) -> Live:
        del call
        content = _content(inputs)
        store, key = _store(inputs)
        try:
            obstore.put(store, key, content)
        except (BaseError, OSError) as error:
            raise UpdateFailed(f"{inputs.url} could not be written: {_first(error)}", hint=_HINT) from error
        return Live(inputs.url, {"size": len(content)})

    def read(self, identity: str, inputs: ArtifactInputs | None, call: Call) -> Live | None:
        """An object of another size than the file here has other content; a missing file here proves nothing."""
        del call
        if inputs is None:
            raise InvalidInput(f"{identity} cannot be imported", hint="let a stack program create it")
        store, key = _store(inputs)
        try:
            size = obstore.head(store, key)["size"]
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise UpdateFailed(f"{inputs.url} could not be read: {_first(error)}", hint=_HINT) from error
        here = Path(inputs.path)
        changed = here.is_file() and here.stat().st_size != size
        found = inputs.dump() | ({"sha256": ""} if changed else {})
        return Live(inputs.url, {"size": size}, inputs=found)

    def update(self, old: ArtifactInputs, new: ArtifactInputs, call: Call) -> Live:
        del old
        return self.create(new, call)

    def delete(self, inputs: ArtifactInputs, call: Call) -> None:
        del call
        store, key = _store(inputs)
        try:
            obstore.delete(store, key)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise UpdateFailed(f"{inputs.url} could not be deleted: {_first(error)}", hint=_HINT) from error


_HINT = "may this identity write there? `alien review --permissions` lists what it needs"


def _content(inputs: ArtifactInputs) -> bytes:
    """The bytes of the file, if they are those that were meant."""
    try:
        content = Path(inputs.path).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"there is no artifact at {inputs.path}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != inputs.sha256:
        raise InvalidInput(f"{inputs.path} has the SHA-256 {found}, not {inputs.sha256}", hint="package it again")
    return content


def _store(inputs: ArtifactInputs) -> tuple[ObjectStore, str]:
    """The store, and the object's key in it."""
    scheme, _, rest = inputs.url.partition("://")
    if scheme == "file":
        folder, _, key = rest.rpartition("/")
        return from_url(f"file://{folder}", mkdir=True), key
    credentials = who.storage_credentials(scheme, inputs.identity or {})
    place, _, key = rest.partition("/")
    if scheme == "az":
        container, _, key = key.partition("/")
        return AzureStore(container, account_name=place, credential_provider=credentials), key
    return from_url(f"{scheme}://{place}", credential_provider=credentials), key


def _first(error: Exception) -> str:
    """What went wrong, without the client's own trail of retries and requests."""
    return str(error).strip().splitlines()[0]
