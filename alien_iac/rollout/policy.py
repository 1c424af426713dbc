"""How a rollout goes: the waves, their limits and what a failure does. Written by the vendor in `rollout.yaml`.

Pure data. What it means for one rollout is frozen by `plan`: a later edit of the file changes nothing that runs.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError, model_validator

from alien_iac.errors import ConfigInvalid, NotFound
from alien_iac.models.units import parse_seconds


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if value in {"0s", "0"}:
        return timedelta(0)
    if not isinstance(value, str):
        raise ValueError(f'{value!r} is not a duration; write a whole number and s, m, h or d, such as "10m"')  # noqa: TRY004 - pydantic wants ValueError
    return timedelta(seconds=parse_seconds(value))


def _share(value: object) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and re.fullmatch(r"(100|[1-9]?\d)%", value):
        return value
    raise ValueError(f'{value!r} is neither a count nor a percentage; write 3 or "10%"')


Duration = Annotated[
    timedelta, BeforeValidator(_duration), PlainSerializer(lambda value: f"{int(value.total_seconds())}s", str)
]
"""Written "10m", "30s", "2h", "1d", or "0s" for none."""

Share = Annotated[int | str, BeforeValidator(_share)]
"""A count (3) or a percentage ("10%")."""


def count_of(share: int | str, total: int) -> int:
    """The count that a share means: a percentage of `total`, rounded down."""
    return share if isinstance(share, int) else total * int(share.removesuffix("%")) // 100


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Approval(_Strict):
    """A gate before a wave: it starts when a person has approved."""

    by: tuple[str, ...] = ()
    """Who may approve; empty: whoever may act on rollouts."""
    expires: Duration = timedelta(days=1)
    """Without an approval by then the rollout halts."""


class Wave(_Strict):
    """One group of deployments that are updated together."""

    name: str = Field(min_length=1)
    size: Share | None = None
    """How many: a count, or a percentage of all planned deployments, rounded down, at least one. None: the rest."""
    selector: dict[str, str] = {}
    """Only deployments with these labels; `customer`, `platform` and `id` count as labels."""
    canary: bool = False
    """A canary wave tolerates no failure, and passes only when one of its deployments is healthy on the release."""
    failure_tolerance: Share = 0
    """How many of the wave may fail before the rollout halts; a percentage is of the wave, rounded down."""
    bake: Duration = timedelta(0)
    """How long the wave must stay healthy before the next one starts."""
    approval: Approval | None = None

    @model_validator(mode="after")
    def _canary_tolerates_nothing(self) -> Self:
        if self.canary and self.failure_tolerance not in {0, "0%"}:
            raise ValueError(f"wave {self.name!r} is a canary, which tolerates no failure; leave failure_tolerance out")
        return self


class Verify(_Strict):
    """When a deployment counts as healthy on the release, by its agent's heartbeats. No signal is never healthy."""

    deadline: Duration = timedelta(minutes=5)
    """From the agent's word that it is done; without enough healthy signs by then the deployment has failed."""
    successes: int = Field(default=2, ge=1, le=100)
    """Healthy heartbeats in a row that are needed."""
    failures: int = Field(default=2, ge=1, le=100)
    """Unhealthy heartbeats in a row, while a wave bakes, that make a deployment a failed one."""
    every: Duration = timedelta(seconds=30)
    """How often health is looked at while a wave bakes."""
    fresh: Duration = timedelta(minutes=1)
    """A sign of life older than this says nothing."""


DEFAULT_WAVES = (
    Wave(name="canary", size=1, canary=True, bake=timedelta(minutes=10)),
    Wave(name="half", size="50%"),
    Wave(name="rest"),
)


class Policy(_Strict):
    """How a rollout goes. Every knob has a default that is safe for a first release to real customers."""

    waves: tuple[Wave, ...] = Field(default=DEFAULT_WAVES, min_length=1)
    max_concurrent: Share = 10
    """Deployments of a rollout that are updated at once; a percentage is of all planned ones. At least one."""
    concurrency_mode: Literal["soft", "strict"] = "soft"
    """`soft`: `max_concurrent` whatever fails; what is in flight may overshoot the tolerance. `strict`: never more in
    flight than may still fail, plus one. Soft by default, since a deployment whose update fails goes back by itself."""
    max_targets: int | None = Field(default=None, ge=1)
    """A rollout that would reach more deployments is refused: the guard against a selector that matches too much."""
    reach_within: Duration = timedelta(minutes=5)
    """An agent that was not seen for so long, or does not take up the release in it, is unreachable."""
    update_deadline: Duration = timedelta(hours=2)
    """An update that takes longer has failed."""
    verify: Verify = Verify()
    retries: int = Field(default=3, ge=0, le=20)
    """Tries again after an error that may go away by itself, with a growing pause."""
    retry_pause: Duration = timedelta(seconds=30)
    """The pause before the first of them; each further one is twice as long."""
    on_failure: Literal["return-deployment", "return-wave", "halt", "continue"] = "return-deployment"
    """When a wave's tolerance is exceeded: halt, and take back the failed deployments, or the whole wave, or nothing;
    or go on all the same. A failed deployment within the tolerance is taken back too, but for `halt` and `continue`."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [wave.name for wave in self.waves]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"waves need different names; used twice: {', '.join(twice)}")
        return self


def parse(data: Mapping[str, Any], source: str = "rollout.yaml") -> Policy:
    """The policy from plain data. ConfigInvalid tells all problems at once."""
    try:
        return Policy.model_validate(data)
    except ValidationError as error:
        lines = "\n".join(f"  {_place(problem['loc'])}: {_text(problem)}" for problem in error.errors())
        raise ConfigInvalid(
            f"{source} has {error.error_count()} problem(s):\n{lines}",
            hint=f"known keys: {', '.join(Policy.model_fields)}; of a wave: {', '.join(Wave.model_fields)}",
        ) from error


def load(path: Path) -> Policy:
    """The policy of a `rollout.yaml`; an empty file is the default policy."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound(f"there is no {path}", hint="leave --policy out for the default waves") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigInvalid(f"{path} is not YAML: {error}") from error
    if data is None:
        return Policy()
    if not isinstance(data, dict):
        raise ConfigInvalid(f"{path} must be a map of settings, not {type(data).__name__}")
    return parse(data, str(path))


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the file"


def _text(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        return "unknown key"
    return str(problem["msg"]).removeprefix("Value error, ")
