"""What the agent believes: only what the vendor's keys signed, never older than what it saw."""

import datetime as dt
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from agent.agent_vendor import Vendor

from alien_iac.agent import trust
from alien_iac.agent.place import Place, write
from alien_iac.agent.release import Release
from alien_iac.errors import Unavailable, Untrusted

URL = "https://control.example"


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def place(tmp_path: Path, vendor: Vendor) -> Place:
    place = Place(tmp_path)
    write(place.tuf / "first-root.json", vendor.first_root)
    return place


def look(place: Place, vendor: Vendor, manifest: str, config: str | None = None) -> Release:
    with trust.Repository(place, URL, "good", vendor.transport()) as repository:
        repository.refresh()
        return repository.release(manifest, config)


def test_what_was_signed_is_believed(place: Place, vendor: Vendor) -> None:
    path = vendor.release("1.0", 1)
    config = vendor.config("dep_1", 3, {"tiny:greeting": "moin"})
    release = look(place, vendor, path, config)
    assert (release.version, release.sequence) == ("1.0", 1)
    assert release.config is not None
    assert release.config.values == {"tiny:greeting": "moin"}
    assert trust.stale(place) is None


def test_blobs_are_kept_by_hash_and_read_again_without_the_network(place: Place, vendor: Vendor) -> None:
    path = vendor.release("1.0", 1)
    with trust.Repository(place, URL, "good", vendor.transport()) as repository:
        repository.refresh()
        bundle = repository.release(path, None).manifest.program_bundle
        kept = repository.blob(bundle)
    assert kept.name == bundle.sha256
    assert trust.cached(place, bundle) == kept
    kept.write_bytes(b"tampered")
    with pytest.raises(Untrusted, match="gone or was changed"):
        trust.cached(place, bundle)


def test_a_later_root_is_followed_by_its_chain(place: Place, vendor: Vendor) -> None:
    look(place, vendor, vendor.release("1.0", 1))
    vendor.rotate_root()
    assert look(place, vendor, vendor.release("2.0", 2)).version == "2.0"


@pytest.mark.parametrize("name", ["metadata/timestamp.json", "metadata/2.snapshot.json", "metadata/2.targets.json"])
def test_metadata_with_a_broken_signature_is_refused(place: Place, vendor: Vendor, name: str) -> None:
    path = vendor.release("1.0", 1)
    stranger = Vendor()
    stranger.release("1.0", 1)
    vendor.served[name] = stranger.served[name]
    with pytest.raises(Untrusted, match="signature, version or hash"):
        look(place, vendor, path)


def test_bytes_that_are_not_those_that_were_signed_are_refused(place: Place, vendor: Vendor) -> None:
    path = vendor.release("1.0", 1)
    name = next(name for name in vendor.served if name.endswith("1.0.zip"))
    vendor.served[name] = vendor.served[name][:-1] + b"!"
    with trust.Repository(place, URL, "good", vendor.transport()) as repository:
        repository.refresh()
        with pytest.raises(Untrusted, match=r"bundles/1\.0\.zip"):
            repository.blob(repository.release(path, None).manifest.program_bundle)
    assert not (place.releases / "blobs" / name.rpartition("/")[2].partition(".")[0]).exists()


def test_an_expired_timestamp_is_refused_and_said(place: Place, vendor: Vendor) -> None:
    vendor.life = timedelta(seconds=-5)
    with pytest.raises(Untrusted, match="expired") as raised:
        look(place, vendor, vendor.release("1.0", 1))
    assert raised.value.context["expired"]


def test_an_older_timestamp_is_refused(place: Place, vendor: Vendor) -> None:
    path = vendor.release("1.0", 1)
    older = vendor.served["metadata/timestamp.json"]
    look(place, vendor, vendor.release("2.0", 2))
    vendor.served["metadata/timestamp.json"] = older
    with pytest.raises(Untrusted, match="version"):
        look(place, vendor, path)


def test_what_is_not_among_the_targets_is_refused(place: Place, vendor: Vendor) -> None:
    vendor.release("1.0", 1)
    with pytest.raises(Untrusted, match="not among what the vendor signed"):
        look(place, vendor, "releases/9.9/manifest.json")


def test_what_is_signed_but_no_manifest_is_refused_with_its_fields(place: Place, vendor: Vendor) -> None:
    vendor.add("releases/1.0/manifest.json", b'{"vendor": "initech"}')
    vendor.publish()
    with pytest.raises(Untrusted, match="sequence"):
        look(place, vendor, "releases/1.0/manifest.json")


def test_a_control_plane_that_does_not_answer_is_no_matter_of_trust(place: Place, vendor: Vendor) -> None:
    path = vendor.release("1.0", 1)
    del vendor.served["metadata/timestamp.json"]
    with pytest.raises(Unavailable):
        look(place, vendor, path)


def test_a_line_that_breaks_is_no_matter_of_trust(place: Place, vendor: Vendor) -> None:
    path = vendor.release("1.0", 1)

    def break_off(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset", request=request)

    with (
        trust.Repository(place, URL, "good", httpx.MockTransport(break_off)) as repository,
        pytest.raises(Unavailable, match="ReadError"),
    ):
        repository.refresh()
    assert look(place, vendor, path).version == "1.0"


def test_stale_names_the_role_that_expires(place: Place, vendor: Vendor) -> None:
    assert trust.stale(place) == "root"
    look(place, vendor, vendor.release("1.0", 1))
    tomorrow = dt.datetime.now(dt.UTC) + timedelta(days=2)
    assert trust.stale(place, tomorrow) == "timestamp"
