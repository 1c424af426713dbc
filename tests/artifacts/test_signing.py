"""What the vendor signs is believed by a real TUF client, and nothing else is."""

import hashlib
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined] # not in its __all__
from tuf.api.exceptions import DownloadHTTPError, ExpiredMetadataError, RepositoryError, UnsignedMetadataError
from tuf.ngclient.fetcher import FetcherInterface
from tuf.ngclient.updater import Updater

from alien_iac.control import trust
from alien_iac.errors import Conflict, InvalidInput, NotFound, Unauthorized, Untrusted
from alien_iac.packaging import sign
from alien_iac.packaging.keys import VendorKeys
from alien_iac.packaging.vendor import VendorFolder
from alien_iac.protocol.manifest import Blob

NOW = datetime.now(UTC)
PASSPHRASE = "correct horse"


class Shelf(FetcherInterface):
    """A repository that is a dictionary of URLs."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def _fetch(self, url: str) -> Iterator[bytes]:
        if url not in self.files:
            raise DownloadHTTPError(url, 404)
        yield self.files[url]


class Site:
    """A control plane in small: it signs what is its to sign, and serves the rest as it got it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.online = trust.OnlineKeys.generate()
        self.vendor = VendorFolder.init(place / "vendor", "acme-soft", PASSPHRASE, self.online.public(), NOW)
        self.shelf = Shelf()
        self.repository = trust.Repository(root=self.vendor.root())
        self.serve()

    def publish(self, targets: bytes, now: datetime = NOW) -> None:
        trust.accept_targets(targets, self.vendor.root(), self.repository.targets, now)
        self.repository = trust.Repository(
            root=self.vendor.root(),
            targets=targets,
            snapshot=self.repository.snapshot,
            timestamp=self.repository.timestamp,
        )
        self.repository = trust.sign(self.repository, self.online, now)
        self.serve()

    def put(self, path: str, content: bytes) -> Blob:
        digest = hashlib.sha256(content).hexdigest()
        folder, _, name = path.rpartition("/")
        self.shelf.files[f"http://x/targets/{folder}/{digest}.{name}"] = content
        return Blob(path=path, sha256=digest, length=len(content))

    def release(self, path: str, content: bytes) -> None:
        keys = self.vendor.keys(PASSPHRASE)
        body = self.vendor.add(keys, [self.put(path, content)], NOW)
        self.publish(body)
        self.vendor.write_targets(body)

    def serve(self) -> None:
        for number, root in enumerate(self.vendor.roots(), 1):
            self.shelf.files[f"http://x/metadata/{number}.root.json"] = root
        now = self.repository
        for role, body in (("targets", now.targets), ("snapshot", now.snapshot)):
            if body:
                self.shelf.files[f"http://x/metadata/{trust.version_of(body)}.{role}.json"] = body
        if now.timestamp:
            self.shelf.files["http://x/metadata/timestamp.json"] = now.timestamp

    def read(self, path: str, client: str = "client") -> bytes | None:
        place = self.place / client
        place.mkdir(exist_ok=True)
        updater = Updater(
            str(place),
            "http://x/metadata/",
            str(place),
            "http://x/targets/",
            fetcher=self.shelf,
            bootstrap=self.vendor.roots()[0],
        )
        updater.refresh()
        target = updater.get_targetinfo(path)
        return Path(updater.download_target(target)).read_bytes() if target else None


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_client_believes_what_was_signed_and_no_other_bytes(site: Site) -> None:
    site.release("releases/app/1/manifest.json", b"one")
    assert site.read("releases/app/1/manifest.json") == b"one"
    assert site.read("releases/app/2/manifest.json") is None
    digest = hashlib.sha256(b"one").hexdigest()
    site.shelf.files[f"http://x/targets/releases/app/1/{digest}.manifest.json"] = b"two"
    with pytest.raises(RepositoryError):
        site.read("releases/app/1/manifest.json", "another")


def test_later_releases_add_to_the_list(site: Site) -> None:
    site.release("a/1", b"one")
    site.release("a/2", b"two")
    assert (site.read("a/1"), site.read("a/2")) == (b"one", b"two")
    with pytest.raises(InvalidInput, match="signed already, with other bytes"):
        site.release("a/1", b"other")


def test_keys_are_rotated_and_every_client_follows(site: Site) -> None:
    site.release("a/1", b"one")
    assert site.read("a/1") == b"one"
    before = site.vendor.keys(PASSPHRASE)
    root = site.vendor.rotate(PASSPHRASE, site.online.public(), NOW)
    trust.accept_root(root, site.vendor.roots()[0], site.online, NOW)
    targets = site.vendor.targets()
    assert targets is not None
    site.publish(targets)
    site.release("a/2", b"two")
    assert site.read("a/2") == b"two"
    assert site.read("a/1", "a-new-client") == b"one"
    with pytest.raises(Untrusted):
        site.publish(sign.targets(site.vendor.targets(), before, (), NOW))


def test_the_old_key_signs_nothing_after_a_rotation(site: Site) -> None:
    old = site.vendor.keys(PASSPHRASE)
    site.vendor.rotate(PASSPHRASE, site.online.public(), NOW)
    forged = sign.next_root(site.vendor.root(), old, VendorKeys.generate(), site.online.public(), NOW)
    site.shelf.files["http://x/metadata/3.root.json"] = forged
    for number, root in enumerate(site.vendor.roots(), 1):
        site.shelf.files[f"http://x/metadata/{number}.root.json"] = root
    with pytest.raises(UnsignedMetadataError):
        site.read("a/1")


def test_a_rotation_that_crashed_before_its_root_is_simply_done_again(site: Site) -> None:
    VendorKeys.generate().save(site.place / "vendor" / "keys" / "2", PASSPHRASE)
    assert trust.version_of(site.vendor.root()) == 1
    assert trust.version_of(site.vendor.rotate(PASSPHRASE, site.online.public(), NOW)) == 2
    site.release("a/1", b"one")
    assert site.read("a/1") == b"one"


def test_a_root_is_renewed_with_the_same_keys(site: Site) -> None:
    later = NOW + timedelta(days=400)
    root = site.vendor.renew(PASSPHRASE, site.online.public(), later)
    trust.accept_root(root, site.vendor.roots()[0], site.online, later)
    site.release("a/1", b"one")
    assert site.read("a/1") == b"one"


def test_expired_lists_are_not_believed(site: Site) -> None:
    early = NOW - timedelta(days=366)
    body = sign.targets(None, site.vendor.keys(PASSPHRASE), [site.put("a/1", b"one")], early)
    site.repository = trust.sign(trust.Repository(root=site.vendor.root(), targets=body), site.online, NOW)
    site.serve()
    with pytest.raises(ExpiredMetadataError):
        site.read("a/1")


def test_keys_are_encrypted_and_for_their_owner_alone(site: Site) -> None:
    files = sorted((site.place / "vendor" / "keys").rglob("*.pem"))
    assert [path.name for path in files] == ["root.pem", "targets.pem"]
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"ENCRYPTED PRIVATE KEY" in path.read_bytes()
    with pytest.raises(Unauthorized, match="does not open with this passphrase") as caught:
        site.vendor.keys("wrong one")
    assert "wrong one" not in str(caught.value)
    with pytest.raises(Unauthorized):
        site.vendor.keys("")


def test_what_is_there_is_not_overwritten(site: Site) -> None:
    with pytest.raises(Conflict, match="has keys and a root of trust already"):
        VendorFolder.init(site.place / "vendor", "acme-soft", PASSPHRASE, site.online.public(), NOW)
    site.release("a/1", b"one")
    older = sign.targets(None, site.vendor.keys(PASSPHRASE), [], NOW)
    with pytest.raises(Conflict, match="is not newer"):
        site.vendor.write_targets(older)


def test_numbers_are_kept(site: Site) -> None:
    numbers = site.vendor.numbers()
    assert (numbers.vendor, numbers.sequence) == ("acme-soft", 0)
    site.vendor.write_numbers(numbers.model_copy(update={"sequence": 7, "serials": {"d1": 2}}))
    assert site.vendor.numbers().sequence == 7


def test_missing_and_broken_files_are_told(tmp_path: Path) -> None:
    folder = VendorFolder(tmp_path)
    for ask in (folder.root, folder.numbers, lambda: folder.keys("x")):
        with pytest.raises(NotFound, match="there is no"):
            ask()
    (tmp_path / "vendor.json").write_text("{")
    with pytest.raises(InvalidInput, match="cannot be read"):
        folder.numbers()
    with pytest.raises(Untrusted, match="not TUF metadata"):
        sign.version_of(b"{}")
    online = trust.OnlineKeys.generate().public()
    with pytest.raises(InvalidInput, match="need a passphrase"):
        VendorFolder.init(tmp_path / "v", "acme", "", online, NOW)
    with pytest.raises(InvalidInput, match="no usable public key for timestamp"):
        VendorFolder.init(tmp_path / "v", "acme", "x", {"snapshot": online["snapshot"]}, NOW)
    with pytest.raises(InvalidInput, match="needs a name"):
        VendorFolder.init(tmp_path / "v", "", "x", online, NOW)
    assert not list((tmp_path / "v").rglob("*.root.json"))


def test_keys_of_another_kind_are_refused(tmp_path: Path) -> None:
    keys = VendorKeys(CryptoSigner.generate_rsa(), CryptoSigner.generate_ed25519())
    keys.save(tmp_path, PASSPHRASE)
    with pytest.raises(InvalidInput, match="not an Ed25519 key"):
        VendorKeys.load(tmp_path, PASSPHRASE)
