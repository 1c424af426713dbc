"""The attacks of TUF's own list on an agent: who holds the control plane, or the line, makes it run nothing else.

Each plays the control plane that serves metadata and bytes; only the vendor's `publish` signs.
"""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import repeat
from pathlib import Path

import httpx
import pytest
from agent.agent_vendor import PROGRAM, Vendor, zipped

from alien_iac.agent import admission, trust
from alien_iac.agent.place import Place, write
from alien_iac.agent.release import Release
from alien_iac.errors import Unavailable, Untrusted
from alien_iac.protocol.manifest import Blob

URL = "https://control.example"
TIMESTAMP = "metadata/timestamp.json"


class Agent:
    """One agent's trust: a folder that starts at the vendor's first root."""

    def __init__(self, folder: Path, vendor: Vendor) -> None:
        self.place = Place(folder)
        write(self.place.tuf / "first-root.json", vendor.first_root)

    def look(self, answer: Callable[[httpx.Request], httpx.Response], manifest: str) -> tuple[Release, Path]:
        """The release and the file of its bundle."""
        with trust.Repository(self.place, URL, "good", httpx.MockTransport(answer)) as repository:
            repository.refresh()
            release = repository.release(manifest, None)
            return release, repository.blob(release.manifest.program_bundle)


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def agent(tmp_path: Path, vendor: Vendor) -> Agent:
    return Agent(tmp_path, vendor)


def test_arbitrary_software_signed_by_a_stranger(agent: Agent, vendor: Vendor) -> None:
    vendor.release("1.0", 1)
    stranger = Vendor()
    path = stranger.release("1.0", 1, {"__main__.py": "import os"})
    with pytest.raises(Untrusted, match="signature"):
        agent.look(stranger.answer, path)


def test_arbitrary_software_in_the_place_of_the_signed_bytes(agent: Agent, vendor: Vendor) -> None:
    path = vendor.release("1.0", 1)
    bundle = next(name for name in vendor.served if name.endswith("1.0.zip"))
    vendor.served[bundle] = zipped({"__main__.py": "import os"})
    with pytest.raises(Untrusted, match=r"bundles/1\.0\.zip"):
        agent.look(vendor.answer, path)


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_rollback_of_each_role(agent: Agent, vendor: Vendor, role: str) -> None:
    """What was seen once is the least that is taken, though the older one has a good signature too."""
    names = {"timestamp": TIMESTAMP, "snapshot": "metadata/2.snapshot.json", "targets": "metadata/2.targets.json"}
    path = vendor.release("1.0", 1)
    older = vendor.served[names[role]]
    agent.look(vendor.answer, vendor.release("2.0", 2))
    vendor.publish()  # so that an agent has reason to look at every role again
    vendor.served[names[role].replace("2.", "4.")] = older
    with pytest.raises(Untrusted, match="version"):
        agent.look(vendor.answer, path)


def test_freeze_ends_when_the_timestamp_has_expired(agent: Agent, vendor: Vendor) -> None:
    """Who shows the same metadata for ever hides what is new for the life of a timestamp, and then is found out."""
    vendor.life = timedelta(seconds=3)
    path = vendor.release("1.0", 1)
    agent.look(vendor.answer, path)
    while trust.stale(agent.place) is None:
        time.sleep(0.1)
    with pytest.raises(Untrusted) as refused:
        agent.look(vendor.answer, path)
    assert refused.value.context["expired"]
    assert trust.stale(agent.place) == "timestamp"


@pytest.mark.parametrize("name", [TIMESTAMP, "metadata/2.snapshot.json", "metadata/2.targets.json", "1.0.zip"])
def test_endless_data(agent: Agent, vendor: Vendor, name: str) -> None:
    """No more is read than the signed length, or TUF's limit for a role: the answer below never ends."""
    path = vendor.release("1.0", 1)
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        for block in repeat(b" " * 65536):
            taken += len(block)
            yield block

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=endless()) if request.url.path.endswith(name) else vendor.answer(request)

    with pytest.raises(Untrusted):
        agent.look(answer, path)
    assert taken < 6_000_000


def test_slow_retrieval(agent: Agent, vendor: Vendor) -> None:
    """A line that drips is given up, and tried again later: it is not the vendor's keys that failed."""
    now = 0.0

    def drip() -> Iterator[bytes]:
        nonlocal now
        for byte in vendor.served[TIMESTAMP]:
            now += 50.0
            yield bytes([byte])

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=drip()) if request.url.path.endswith(TIMESTAMP) else vendor.answer(request)

    vendor.release("1.0", 1)
    transport = httpx.MockTransport(answer)
    with (
        trust.Repository(agent.place, URL, "good", transport, lambda: now) as repository,
        pytest.raises(Unavailable, match="too slowly"),
    ):
        repository.refresh()


def test_extraneous_dependencies(agent: Agent, vendor: Vendor) -> None:
    """A manifest that names bytes which the list of targets does not have, or has otherwise, brings in nothing."""
    foreign = Blob(path="wheels/evil.whl", sha256="0" * 64, length=4)
    path = vendor.release("1.0", 1)
    with trust.Repository(agent.place, URL, "good", vendor.transport()) as repository:
        repository.refresh()
        bundle = repository.release(path, None).manifest.program_bundle
        with pytest.raises(Untrusted, match="not among what the vendor signed"):
            repository.blob(foreign)
        with pytest.raises(Untrusted, match="differ"):
            repository.blob(bundle.model_copy(update={"sha256": "0" * 64}))


def test_mix_and_match(agent: Agent, vendor: Vendor) -> None:
    """Targets of one moment under the snapshot of another."""
    path = vendor.release("1.0", 1)
    one = vendor.served["metadata/2.targets.json"]
    vendor.release("2.0", 2)
    vendor.served["metadata/3.targets.json"] = one
    with pytest.raises(Untrusted, match="version"):
        agent.look(vendor.answer, path)


@pytest.mark.parametrize("other", [{"vendor": "hooli"}, {"program": "other"}])
def test_wrong_software(agent: Agent, vendor: Vendor, other: dict[str, str]) -> None:
    """Signed by the right keys, but another vendor's or another program's release."""
    first, _ = agent.look(vendor.answer, vendor.release("1.0", 1))
    standing = admission.raised(admission.Standing(), first, "")
    wrong, _ = agent.look(vendor.answer, vendor.release("2.0", 2, PROGRAM, **other))
    with pytest.raises(Untrusted, match="not initech's tiny"):
        admission.raised(standing, wrong, "")


def test_a_control_plane_that_withholds_what_is_new(agent: Agent, vendor: Vendor) -> None:
    """It is away as far as the agent can tell: nothing is applied, and what was there stays trusted."""
    path = vendor.release("1.0", 1)
    agent.look(vendor.answer, path)
    missing = vendor.release("2.0", 2)
    del vendor.served["metadata/3.targets.json"]
    with pytest.raises(Unavailable):
        agent.look(vendor.answer, missing)


@pytest.mark.parametrize("role", ["snapshot", "timestamp"])
def test_a_stolen_online_key_signs_no_release(agent: Agent, vendor: Vendor, role: str) -> None:
    """Both are on the control plane. With them an attacker cannot make a target: the targets key is the vendor's."""
    vendor.release("1.0", 1)
    attacker = Vendor()
    attacker.keys[role] = vendor.keys[role]
    path = attacker.release("9.0", 9)
    attacker.served["metadata/1.root.json"] = vendor.first_root
    with pytest.raises(Untrusted, match="signature"):
        agent.look(attacker.answer, path)


def test_a_compromised_targets_key_is_rotated_out(agent: Agent, vendor: Vendor) -> None:
    """After the vendor's new root, what the stolen key signs is refused, and what the new one signs is taken."""
    path = vendor.release("1.0", 1)
    agent.look(vendor.answer, path)
    stolen = vendor.keys["targets"]
    vendor.rotate_root()
    agent.look(vendor.answer, path)
    fresh, vendor.keys["targets"] = vendor.keys["targets"], stolen
    forged = vendor.release("6.6", 6)
    with pytest.raises(Untrusted, match="signature"):
        agent.look(vendor.answer, forged)
    vendor.keys["targets"] = fresh
    assert agent.look(vendor.answer, vendor.release("2.0", 2))[0].version == "2.0"


def test_a_root_that_the_old_root_did_not_sign(agent: Agent, vendor: Vendor) -> None:
    path = vendor.release("1.0", 1)
    stranger = Vendor()
    stranger.rotate_root()
    vendor.served["metadata/2.root.json"] = stranger.served["metadata/2.root.json"]
    with pytest.raises(Untrusted, match="signature"):
        agent.look(vendor.answer, path)
