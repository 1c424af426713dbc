"""The customer's say: what a release and a command may do here. Read from `customer.yaml` at each use.

Neither a release nor the control plane can write the file; the vendor's signed config can only be stricter.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from alien_iac.errors import InvalidInput
from alien_iac.protocol import signing
from alien_iac.protocol.telemetry.levels import DEFAULT, Level, strictest

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PREFIX = "agent:"
"""Keys of the signed config that are for the agent, and not for the stack program."""
DEFAULT_TEXT = """\
# Your say over this deployment. Only you write this file; it is read before every update and every command.

# auto: a release that the vendor rolls out is applied by itself. approval: it waits for `alien agent approve`.
updates: auto

# Commands that the vendor may send, by name; * stands for any text. What is denied is denied, whatever is allowed.
# What is in signed is taken only with the signature of one of the senders below.
commands:
  allow: ["*"]
  deny: []
  signed: []

# The public keys (Ed25519, PEM) of people at the vendor whom you know, by name. Example:
#   alice: |
#     -----BEGIN PUBLIC KEY-----
#     MCowBQYDK2VwAyEA...
#     -----END PUBLIC KEY-----
senders: {}

# Pulumi packages that a release may use. Empty: those of the platform.
providers: []

# When updates may begin. Empty: at any time. Example:
#   - {days: [sat, sun], start: "22:00", end: "06:00", timezone: Europe/Berlin}
windows: []

# What of the telemetry leaves: off, metrics, events (no free text), or full (free text too, without what looks like a
# secret).
telemetry: events
"""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(_Strict):
    """When an update may begin: from `start` to `end` (local time; over midnight where end is earlier)."""

    days: tuple[Day, ...] = WEEK
    """The days on which the window starts."""
    start: time
    end: time
    timezone: str = "UTC"

    @field_validator("start", "end", mode="before")
    @classmethod
    def _from_sexagesimal(cls, value: object) -> object:
        """YAML reads an unquoted 22:00 as a number of base 60; it is taken as it was meant."""
        return f"{value // 60:02}:{value % 60:02}" if isinstance(value, int) else value

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f'"{value}" is no time zone of the IANA database, such as Europe/Berlin') from error
        return value

    def holds(self, now: datetime) -> bool:
        """Whether an instant (with a time zone) lies in the window."""
        local = now.astimezone(ZoneInfo(self.timezone))
        begun = local if local.time() >= self.start else local - timedelta(days=1)
        if WEEK[begun.weekday()] not in self.days:
            return False
        if self.start < self.end:
            return self.start <= local.time() < self.end
        return local.time() >= self.start or local.time() < self.end


class Commands(_Strict):
    """Names of commands; `*` stands for any text."""

    allow: tuple[str, ...] = ("*",)
    deny: tuple[str, ...] = ()
    signed: tuple[str, ...] = ()
    """Taken only with the signature of one of `senders`."""


class Say(_Strict):
    """All of it. `DEFAULT_TEXT` explains each."""

    updates: Literal["auto", "approval"] = "auto"
    commands: Commands = Commands()
    senders: dict[str, str] = {}
    """Public keys in PEM, by the name of their sender."""
    providers: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()
    telemetry: Level = DEFAULT

    @field_validator("senders")
    @classmethod
    def _keys(cls, value: dict[str, str]) -> dict[str, str]:
        for name, pem in value.items():
            try:
                signing.public_key(pem)
            except ValueError as error:
                raise ValueError(f'the key of "{name}": {error}') from error
        return value

    def permits(self, command: str) -> bool:
        """Whether the vendor may send a command of this name."""
        return _matches(command, self.commands.allow) and not _matches(command, self.commands.deny)

    def is_open(self, now: datetime) -> bool:
        """Whether an update may begin at an instant."""
        return not self.windows or any(window.holds(now) for window in self.windows)


class VendorSay(_Strict):
    """What the vendor's signed config may add, all of it stricter: the keys `agent:updates`, `agent:deny` and so on."""

    updates: Literal["auto", "approval"] = "auto"
    deny: tuple[str, ...] = ()
    signed: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()
    telemetry: Level = "full"


def read(path: Path) -> Say:
    """The customer's say. Raises InvalidInput where the file is missing or wrong: then nothing is allowed."""
    try:
        return Say.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except FileNotFoundError as error:
        raise InvalidInput(
            f"{path} is missing, so nothing is allowed", hint="write it again; `{}` is enough"
        ) from error
    except yaml.YAMLError as error:
        raise InvalidInput(f"{path} is not YAML, so nothing is allowed: {error}", hint="mend it") from error
    except ValidationError as error:
        raise InvalidInput(f"{path} is wrong, so nothing is allowed: {_listed(error)}", hint="mend it") from error


def vendor_say(config: Mapping[str, Any]) -> VendorSay:
    """The `agent:` keys of a signed config. Raises InvalidInput for one that is not known or wrong."""
    found = {key.removeprefix(PREFIX): value for key, value in config.items() if key.startswith(PREFIX)}
    try:
        return VendorSay.model_validate(found)
    except ValidationError as error:
        raise InvalidInput(f"the vendor's signed config is wrong: {_listed(error)}", hint="ask the vendor") from error


def needs_approval(mine: Say, vendors: VendorSay) -> bool:
    """Whether an update waits for the customer's word."""
    return "approval" in {mine.updates, vendors.updates}


def may_begin(mine: Say, vendors: VendorSay, now: datetime) -> bool:
    """Whether an update may begin at an instant: the customer's windows and the vendor's must both be open."""
    return mine.is_open(now) and (not vendors.windows or any(window.holds(now) for window in vendors.windows))


def permits(mine: Say, vendors: VendorSay, command: str) -> bool:
    """Whether a command may be given to a workload."""
    return mine.permits(command) and not _matches(command, vendors.deny)


def needs_signature(mine: Say, vendors: VendorSay, command: str) -> bool:
    """Whether a command is taken only with a sender's signature: the customer says so, or the vendor does."""
    return _matches(command, mine.commands.signed) or _matches(command, vendors.signed)


def telemetry(mine: Say, vendors: VendorSay) -> Level:
    """What of the telemetry leaves: the stricter of the two."""
    return strictest(mine.telemetry, vendors.telemetry)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _listed(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
