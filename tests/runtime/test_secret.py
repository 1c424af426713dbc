"""Secret, on every platform."""

from collections.abc import Callable
from pathlib import Path

import pytest
from runtime.conformance import Platform

from alien_iac.errors import InvalidInput, SecretNotSet
from alien_iac.runtime import secret

Link = Callable[[dict[str, str]], None]


async def test_a_value_and_its_successor(platform: Platform, linked: Link) -> None:
    linked(platform.secret("crm"))
    crm = secret("crm")
    with pytest.raises(SecretNotSet, match="alien secret set crm"):
        await crm.get()
    platform.set_secret("crm", b"hunter2")
    assert await crm.get() == "hunter2"
    assert crm.sync.get_bytes() == b"hunter2"
    platform.set_secret("crm", '{"user": "zoë"}'.encode())
    assert await crm.get_json() == {"user": "zoë"}
    platform.set_secret("crm", b"\xff")
    for read in (crm.get, crm.get_json):
        with pytest.raises(InvalidInput, match="crm"):
            await read()
    assert await crm.get_bytes() == b"\xff"


async def test_a_damaged_file_tells_nothing_of_itself(platform: Platform, linked: Link, tmp_path: Path) -> None:
    linked(platform.secret("crm"))
    platform.set_secret("crm", b"hunter2")
    path = tmp_path / "secrets" / "crm.enc"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(InvalidInput) as caught:
        await secret("crm").get()
    assert "hunter2" not in str(caught.value)
