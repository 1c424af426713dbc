"""The large bodies of commands as files, sealed: what is in them is the customers', and opens with the vault only."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from alien_iac.control import vault as sealing
from alien_iac.control.blobs import Folder, TooLarge
from alien_iac.control.vault import CHUNK, Vault


class SealedFolder:
    """A folder of immutable sealed files. `limit`: bytes of the largest content that is taken."""

    def __init__(self, path: Path, limit: int, vault: Vault) -> None:
        self._folder = Folder(path, limit + (limit // CHUNK + 2) * 64)
        self._limit = limit
        self._vault = vault

    def path(self, name: str) -> Path:
        """Where a file is or would be."""
        return self._folder.path(name)

    def size(self, name: str) -> int | None:
        """Bytes of its content, or None where there is no such file."""
        try:
            return sealing.size(self.path(name))
        except FileNotFoundError:
            return None

    def chunks(self, name: str) -> Iterator[bytes]:
        """Its content, by chunks. FileNotFoundError where there is no such file."""
        with self.path(name).open("rb") as file:
            yield from self._vault.chunks(name, file)

    def remove(self, stem: str) -> None:
        """Delete the files with this name up to the first dot."""
        self._folder.remove(stem)

    def stems(self, before: float) -> set[str]:
        """The names up to the first dot of files last written before an instant, as those of a `Folder`."""
        return self._folder.stems(before)

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> int:
        """Store a stream under a name; its size in bytes. TooLarge: then nothing is stored."""
        size = 0

        async def sealed() -> AsyncIterator[bytes]:
            nonlocal size
            head, seal = self._vault.sealer(name)
            yield head
            left = bytearray()
            async for chunk in chunks:
                size += len(chunk)
                if size > self._limit:
                    raise TooLarge(f"the body has more than {self._limit} bytes")
                left += chunk
                while len(left) > CHUNK:
                    yield seal(bytes(left[:CHUNK]), False)
                    del left[:CHUNK]
            yield seal(bytes(left), True)

        await self._folder.put(name, sealed())
        return size

    async def put_bytes(self, name: str, content: bytes) -> int:
        """As `put`, for bytes that are here."""

        async def one() -> AsyncIterator[bytes]:
            yield content

        return await self.put(name, one())
