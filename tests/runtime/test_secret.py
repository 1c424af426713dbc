"""Secret, on every platform, and how long a value is kept."""

from collections.abc import Callable

import pytest
from runtime.conformance import Env, MakesSecret

from alien_iac.errors import AlienError, InvalidInput, SecretNotSet, Unavailable
from alien_iac.runtime import secret
from alien_iac.runtime.stores.secret import REFRESH_SECONDS, SyncSecret, not_set

Link = Callable[[Env], None]


async def test_a_value_and_its_successors(secret_platform: MakesSecret, linked: Link) -> None:
    linked(secret_platform.secret("crm"))
    crm = secret("crm")
    with pytest.raises(SecretNotSet, match="alien secret set crm"):
        await crm.get()
    secret_platform.set_secret("crm", b"hunter2")
    assert await crm.get() == "hunter2"
    assert crm.sync.get_bytes() == b"hunter2"
    secret_platform.set_secret("crm", '{"user": "zoë"}'.encode())
    assert await crm.get_json(fresh=True) == {"user": "zoë"}
    secret_platform.set_secret("crm", b"\xff")
    assert await crm.get_bytes(fresh=True) == b"\xff"
    for read in (crm.get, crm.get_json):
        with pytest.raises(InvalidInput, match="crm"):
            await read()


async def test_a_large_value(secret_platform: MakesSecret, linked: Link) -> None:
    linked(secret_platform.secret("crm"))
    value = "zoë☃ " * 2000
    secret_platform.set_secret("crm", value.encode())
    assert await secret("crm").get() == value


class Cloud:
    """A store that asks for money."""

    kept_seconds = REFRESH_SECONDS

    def __init__(self) -> None:
        self.value: bytes | AlienError = not_set("crm")
        self.asked = 0

    def get(self) -> bytes:
        self.asked += 1
        if isinstance(self.value, AlienError):
            raise self.value
        return self.value


def test_a_value_is_kept_for_a_minute() -> None:
    cloud, now = Cloud(), [0.0]
    crm = SyncSecret("crm", lambda: cloud, clock=lambda: now[0])
    for _ in range(2):
        with pytest.raises(SecretNotSet):
            crm.get()
    cloud.value = b"one"
    assert [crm.get() for _ in range(3)] == ["one"] * 3
    assert cloud.asked == 3
    cloud.value = b"two"
    assert (crm.get(), crm.get(fresh=True), crm.get()) == ("one", "two", "two")
    now[0] += REFRESH_SECONDS
    cloud.value = Unavailable("away")
    assert crm.get() == "two"
    with pytest.raises(Unavailable):
        crm.get(fresh=True)
    cloud.value = b"three"
    assert crm.get() == "three"
    now[0] += REFRESH_SECONDS
    cloud.value = not_set("crm")
    with pytest.raises(SecretNotSet):
        crm.get()
    cloud.value = Unavailable("away")
    with pytest.raises(Unavailable):
        crm.get()
