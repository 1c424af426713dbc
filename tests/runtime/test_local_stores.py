"""What holds of the stores on `local` alone, and what a binding that is wrong says."""

from collections.abc import Callable
from pathlib import Path

import pytest
from runtime.conformance import Env
from runtime.runtime_workload import Machine
from runtime.stores_local import LocalStores

from alien_iac.errors import BindingInvalid, InvalidInput, Unauthorized, Unavailable
from alien_iac.protocol.bindings import LocalQueue
from alien_iac.runtime import queue, secret, storage
from alien_iac.runtime.stores.local_queue import BrokerQueue
from alien_iac.runtime.stores.queue import SyncQueue

Link = Callable[[Env], None]


@pytest.fixture
def local(machine: Machine) -> LocalStores:
    return LocalStores(machine)


async def test_not_linked(linked: Link) -> None:
    with pytest.raises(BindingInvalid, match="ALIEN_ELSEWHERE_BINDING"):
        await storage("elsewhere").get("a")
    linked({"ALIEN_ODD_BINDING": '{"service": "carrier-pigeon", "token": "hunter2"}'})
    with pytest.raises(BindingInvalid, match="carrier-pigeon") as caught:
        await storage("odd").get("a")
    assert "hunter2" not in str(caught.value)
    linked({"ALIEN_ODD_BINDING": '{"service": "local-storage", "storagePath": 7}'})
    with pytest.raises(BindingInvalid, match="storagePath"):
        await storage("odd").get("a")
    linked({"ALIEN_ODD_BINDING": "hunter2"})
    with pytest.raises(BindingInvalid, match="not JSON") as caught:
        await storage("odd").get("a")
    assert "hunter2" not in str(caught.value)


async def test_a_signed_url_is_the_file(local: LocalStores, linked: Link, tmp_path: Path) -> None:
    linked(local.storage("files"))
    files = storage("files")
    await files.put("a/b", b"1")
    assert (await files.signed_url("GET", "a/b", 60)).url == f"local://{tmp_path}/storage/files/a/b"


async def test_a_damaged_file_tells_nothing_of_itself(local: LocalStores, linked: Link, tmp_path: Path) -> None:
    linked(local.secret("crm"))
    local.set_secret("crm", b"hunter2")
    path = tmp_path / "secrets" / "crm.enc"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(InvalidInput) as caught:
        await secret("crm").get()
    assert "hunter2" not in str(caught.value)


async def test_a_new_value_is_seen_at_once(local: LocalStores, linked: Link) -> None:
    linked(local.secret("crm"))
    for value in (b"one", b"two", b"three"):
        local.set_secret("crm", value)
        assert await secret("crm").get() == value.decode()


async def test_a_wrong_token(local: LocalStores, linked: Link) -> None:
    good = local.queue("jobs")
    linked({name: value.replace("token-jobs", "hunter2") for name, value in good.items()})
    with pytest.raises(Unauthorized) as caught:
        await queue("jobs").send("a")
    assert "hunter2" not in str(caught.value)


def test_a_broker_that_is_away() -> None:
    binding = LocalQueue(endpoint="http://127.0.0.1:9/q", token="hunter2")
    jobs = SyncQueue("jobs", lambda: BrokerQueue(binding, "jobs", connect_tries=2))
    with pytest.raises(Unavailable, match="ConnectError") as caught:
        jobs.send("a")
    assert "hunter2" not in str(caught.value)
