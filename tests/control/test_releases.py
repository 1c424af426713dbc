"""Releases: what a vendor signed is taken and served as TUF clients read it, and nothing else is."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from control.control_plane import URL, Agent, Plane, plane_in
from control.control_vendor import Vendor
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined] # not in its __all__
from tuf.api.exceptions import DownloadHTTPError, RepositoryError
from tuf.ngclient.fetcher import FetcherInterface
from tuf.ngclient.updater import Updater

from alien_iac.control import housekeeping


async def test_a_release_is_published_once_and_listed(plane: Plane) -> None:
    path = await plane.vendor_release("1.0", 1)
    found = await plane.ok("GET", "/releases/1.0")
    assert (found["version"], found["sequence"], found["manifest"]) == ("1.0", 1, path)
    await plane.vendor_release("1.1", 2)
    assert [item["version"] for item in (await plane.ok("GET", "/releases"))["items"]] == ["1.1", "1.0"]
    assert (await plane.call("GET", "/releases/9")).status_code == 404


async def test_the_same_publication_again_is_answered_again(plane: Plane) -> None:
    body = {"manifest": plane.vendor.manifest("1.0", 1), "targetsMetadata": plane.vendor.targets()}
    await plane.put_blobs()
    first = await plane.ok("POST", "/releases", body)
    plane.clock.advance(5)
    assert await plane.ok("POST", "/releases", body) == first


async def test_a_recall_shows(plane: Plane) -> None:
    await plane.vendor_release("1.0", 1)
    await plane.vendor_release("1.1", 2, minimumSequence=2)
    assert (await plane.ok("GET", "/releases/1.0"))["recalled"]
    assert not (await plane.ok("GET", "/releases/1.1"))["recalled"]
    refused = await plane.call("POST", "/rollouts", {"release": "1.0"})
    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT")


Attack = Callable[[Vendor], dict[str, str]]


def _wrong_key(vendor: Vendor) -> dict[str, str]:
    thief = replace(vendor, targets_key=CryptoSigner.generate_ed25519())
    return {"manifest": thief.manifest("2.0", 2), "targetsMetadata": thief.targets()}


def _older_version(vendor: Vendor) -> dict[str, str]:
    return {"manifest": vendor.manifest("2.0", 2), "targetsMetadata": vendor.targets(version=1)}


def _expired(vendor: Vendor) -> dict[str, str]:
    past = datetime.now(UTC) - timedelta(days=1)
    return {"manifest": vendor.manifest("2.0", 2), "targetsMetadata": vendor.targets(expires=past)}


def _changed_bytes(vendor: Vendor) -> dict[str, str]:
    body = {"manifest": vendor.manifest("2.0", 2), "targetsMetadata": vendor.targets()}
    metadata = json.loads(base64.b64decode(body["targetsMetadata"]))
    metadata["signed"]["version"] += 1
    return {**body, "targetsMetadata": base64.b64encode(json.dumps(metadata).encode()).decode()}


def _unnamed_manifest(vendor: Vendor) -> dict[str, str]:
    vendor.manifest("2.0", 2)
    return {"manifest": "releases/3.0/manifest.json", "targetsMetadata": vendor.targets()}


def _not_a_manifest(vendor: Vendor) -> dict[str, str]:
    vendor.put("releases/2.0/manifest.json", b'{"vendor": "v"}')
    return {"manifest": "releases/2.0/manifest.json", "targetsMetadata": vendor.targets()}


def _other_blob(vendor: Vendor) -> dict[str, str]:
    path = vendor.manifest("2.0", 2)
    vendor.put("releases/2.0/program.zip", b"another program")
    return {"manifest": path, "targetsMetadata": vendor.targets()}


def _taken_version(vendor: Vendor) -> dict[str, str]:
    return {"manifest": vendor.manifest("1.0", 2), "targetsMetadata": vendor.targets()}


def _taken_sequence(vendor: Vendor) -> dict[str, str]:
    return {"manifest": vendor.manifest("2.0", 1), "targetsMetadata": vendor.targets()}


def _other_program(vendor: Vendor) -> dict[str, str]:
    return {"manifest": vendor.manifest("2.0", 2, program="other"), "targetsMetadata": vendor.targets()}


def _not_metadata(vendor: Vendor) -> dict[str, str]:
    return {"manifest": vendor.manifest("2.0", 2), "targetsMetadata": base64.b64encode(b"{}").decode()}


def _not_base64(vendor: Vendor) -> dict[str, str]:
    return {"manifest": vendor.manifest("2.0", 2), "targetsMetadata": "%"}


def _a_root_for_targets(vendor: Vendor) -> dict[str, str]:
    return {"manifest": vendor.manifest("2.0", 2), "targetsMetadata": vendor.root()}


ATTACKS: dict[Attack, tuple[int, str]] = {
    _wrong_key: (400, "UNTRUSTED"),
    _older_version: (409, "CONFLICT"),
    _expired: (400, "UNTRUSTED"),
    _changed_bytes: (400, "UNTRUSTED"),
    _unnamed_manifest: (400, "UNTRUSTED"),
    _not_a_manifest: (400, "UNTRUSTED"),
    _other_blob: (400, "UNTRUSTED"),
    _taken_version: (409, "CONFLICT"),
    _taken_sequence: (409, "CONFLICT"),
    _other_program: (409, "CONFLICT"),
    _not_metadata: (400, "UNTRUSTED"),
    _not_base64: (400, "INVALID_INPUT"),
    _a_root_for_targets: (400, "UNTRUSTED"),
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
async def test_a_publication_that_is_not_right_changes_nothing(plane: Plane, attack: Attack) -> None:
    await plane.vendor_release("1.0", 1)
    before = {name: (await plane.call("GET", f"/tuf/metadata/{name}.json")).content for name in ROLES}
    body = attack(plane.vendor)
    await plane.put_blobs()
    refused = await plane.call("POST", "/releases", body)
    assert (refused.status_code, refused.json()["code"]) == ATTACKS[attack], refused.text
    after = {name: (await plane.call("GET", f"/tuf/metadata/{name}.json")).content for name in ROLES}
    assert after == before
    assert [item["version"] for item in (await plane.ok("GET", "/releases"))["items"]] == ["1.0"]


ROLES = ("root", "targets", "snapshot", "timestamp")


async def test_a_missing_blob_is_named(plane: Plane) -> None:
    body = {"manifest": plane.vendor.manifest("1.0", 1), "targetsMetadata": plane.vendor.targets()}
    refused = await plane.call("POST", "/releases", body)
    assert refused.status_code == 400
    assert "releases/1.0/program.zip" in refused.json()["message"]


async def test_a_blob_is_taken_by_its_content_only(plane: Plane) -> None:
    file = plane.vendor.put("a", b"content")
    path = f"/blobs/{file['sha256']}"
    assert (await plane.call("HEAD", path)).status_code == 404
    assert (await plane.call("PUT", path, content=b"other")).status_code == 400
    assert (await plane.call("HEAD", path)).status_code == 404
    for _ in range(2):
        assert (await plane.call("PUT", path, content=b"content")).status_code == 204
    assert (await plane.call("HEAD", path)).status_code == 204
    assert (await plane.call("PUT", "/blobs/..%2f..%2fx", content=b"x")).status_code in {400, 404}
    large = await plane.call("PUT", f"/blobs/{'0' * 64}", content=b"x" * ((1 << 20) + 1))
    assert (large.status_code, large.json()["code"]) == (413, "TOO_LARGE")


async def test_a_root_is_chained_and_must_let_us_sign(plane: Plane) -> None:
    vendor = plane.vendor
    await plane.vendor_release("1.0", 1)
    other = Vendor(online=vendor.online)
    for wrong in (other.root(2), vendor.root(3), Vendor(online={}, root_key=vendor.root_key).root(2)):
        refused = await plane.call("PUT", "/tuf/root", {"metadata": wrong})
        assert (refused.status_code, refused.json()["code"]) == (400, "UNTRUSTED")
    rotated = replace(vendor, targets_key=CryptoSigner.generate_ed25519())
    refused = await plane.call("PUT", "/tuf/root", {"metadata": rotated.root(2)})
    assert refused.json()["code"] == "UNTRUSTED", "the published targets would not hold under it"
    assert await plane.ok("PUT", "/tuf/root", {"metadata": vendor.root(2)}) == {"version": 2}
    body = {"manifest": vendor.manifest("1.1", 2)}
    await plane.put_blobs()
    rotated = replace(rotated, files=vendor.files)
    body |= {"rootMetadata": rotated.root(3), "targetsMetadata": rotated.targets(version=2)}
    assert (await plane.ok("POST", "/releases", body))["version"] == "1.1"


class Fetcher(FetcherInterface):
    """What a TUF client fetches, asked of the app with an agent's token."""

    def __init__(self, answers: Callable[[str], httpx.Response]) -> None:
        self._answers = answers

    def _fetch(self, url: str) -> Iterator[bytes]:
        answer = self._answers(url)
        if not answer.is_success:
            raise DownloadHTTPError(answer.text, answer.status_code)
        return iter([answer.content])


async def _fetched(plane: Plane, token: str, paths: tuple[str, ...], folder: Path) -> dict[str, bytes]:
    """What the library's own client verifies and downloads."""
    loop = asyncio.get_running_loop()

    def answers(url: str) -> httpx.Response:
        return asyncio.run_coroutine_threadsafe(plane.call("GET", url, token=token), loop).result(10)

    def work() -> dict[str, bytes]:
        updater = Updater(
            metadata_dir=str(folder),
            metadata_base_url=f"{URL}/v1/tuf/metadata/",
            target_base_url=f"{URL}/v1/tuf/targets/",
            target_dir=str(folder),
            fetcher=Fetcher(answers),
            bootstrap=base64.b64decode(plane.vendor.root()),
        )
        found = {}
        for path in paths:
            info = updater.get_targetinfo(path)
            assert info is not None
            found[path] = Path(updater.download_target(info)).read_bytes()
        return found

    return await asyncio.to_thread(work)


async def test_a_tuf_client_reads_a_release(plane: Plane, agent: Agent, tmp_path: Path) -> None:
    for sequence in (1, 2):
        path = await plane.vendor_release(f"1.{sequence}", sequence)
        wanted = (path, f"releases/1.{sequence}/program.zip")
        folder = tmp_path / "tuf"
        folder.mkdir(exist_ok=True)
        found = await _fetched(plane, agent.token, wanted, folder)
        assert found == {name: plane.vendor.files[name] for name in wanted}


async def test_a_config_is_for_its_own_deployment(plane: Plane, agent: Agent) -> None:
    other = await plane.agent("other")
    path = f"deployments/{agent.deployment_id}/config-1.json"
    file = plane.vendor.put(path, b'{"serial": 1}')
    await plane.put_blobs()
    await plane.ok("PUT", "/tuf/targets", {"metadata": plane.vendor.targets()})
    url = f"/tuf/targets/deployments/{agent.deployment_id}/{file['sha256']}.config-1.json"
    assert (await plane.call("GET", url, token=agent.token)).content == b'{"serial": 1}'
    assert (await plane.call("GET", url, token=other.token)).status_code == 404

    answer = await plane.ok("PUT", f"/deployments/{agent.deployment_id}/config", {"target": path})
    assert (answer["revision"], answer["config"]) == (1, path)
    assert (await plane.ok("PUT", f"/deployments/{agent.deployment_id}/config", {"target": path}))["revision"] == 1
    wrong = await plane.call("PUT", f"/deployments/{other.deployment_id}/config", {"target": path})
    assert wrong.status_code == 403
    unsigned = {"target": f"deployments/{agent.deployment_id}/config-2.json"}
    assert (await plane.call("PUT", f"/deployments/{agent.deployment_id}/config", unsigned)).status_code == 404


async def test_the_timestamp_is_signed_anew_each_hour(plane: Plane) -> None:
    async def version(role: str) -> int:
        return int((await plane.ok("GET", f"/tuf/metadata/{role}.json"))["signed"]["version"])

    await plane.vendor_release("1.0", 1)
    first, snapshot = await version("timestamp"), await version("snapshot")
    await housekeeping.resign(plane.control)
    assert await version("timestamp") == first
    plane.clock.advance(3_700)
    await housekeeping.resign(plane.control)
    assert await version("timestamp") == first + 3_700, "versions are instants, so that a restored one is past them"
    assert await version("snapshot") == snapshot
    plane.clock.advance(20 * 86_400)
    await housekeeping.resign(plane.control)
    assert await version("snapshot") > snapshot


async def test_versions_grow_also_within_a_second_and_after_a_clock_that_was_ahead(plane: Plane) -> None:
    seen = []
    for number in (1, 2, 3):
        await plane.vendor_release(f"{number}.0", number)
        seen.append((await plane.ok("GET", "/tuf/metadata/timestamp.json"))["signed"]["version"])
        plane.clock.advance(-60)
    assert seen == sorted(set(seen))


@pytest.mark.parametrize(
    "name", ["other.json", "0.root.json", "9.root.json", "root.json.bak", "99999999999999999999.root.json"]
)
async def test_unknown_metadata_is_not_found(plane: Plane, name: str) -> None:
    assert (await plane.call("GET", f"/tuf/metadata/{name}")).status_code == 404


async def test_a_client_refuses_what_was_not_signed(plane: Plane, agent: Agent, tmp_path: Path) -> None:
    path = await plane.vendor_release("1.0", 1)
    sha256 = next(key for key, content in plane.vendor.blobs().items() if content == plane.vendor.files[path])
    plane.control.blobs.path(sha256).write_bytes(b"x" * len(plane.vendor.files[path]))
    with pytest.raises(RepositoryError):
        await _fetched(plane, agent.token, (path,), tmp_path)


async def test_without_a_root_nobody_enrols_and_nothing_is_published(tmp_path: Path) -> None:
    async with plane_in(tmp_path, rooted=False) as plane:
        code = await plane.ok("POST", "/enrolment-codes", {"customer": "c", "platform": "local"})
        agent = Agent(plane=plane, deployment_id=code["deploymentId"])
        enrol = {"code": code["code"], "publicKey": agent.public_key, "agentVersion": "1"}
        assert (await plane.call("POST", "/enrol", enrol, token="")).json()["code"] == "CONFLICT"
        assert (await plane.call("GET", "/tuf/metadata/root.json")).status_code == 404
        targets = {"metadata": plane.vendor.targets()}
        assert (await plane.call("PUT", "/tuf/targets", targets)).json()["code"] == "CONFLICT"
        for _ in range(2):
            assert await plane.ok("PUT", "/tuf/root", {"metadata": plane.vendor.root()}) == {"version": 1}
        await plane.ok("POST", "/enrol", enrol, token="")
        for _ in range(2):
            assert await plane.ok("PUT", "/tuf/targets", targets) == {"version": 1}
