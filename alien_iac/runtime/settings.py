"""What the platform tells a workload about itself, read once when its process starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from alien_iac.errors import BindingInvalid
from alien_iac.models.triggers import CreatedTrigger, QueueTrigger, ScheduleTrigger, Trigger
from alien_iac.protocol import environment
from alien_iac.runtime.problems import problems


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The names are those of `protocol.environment`."""

    platform: str = "local"
    deployment_id: str = ""
    resource_id: str = ""
    resource_type: str = "worker"
    release: str = "unreleased"
    timeout_seconds: float | None = None
    """None: a handler may take as long as its event's deadline allows."""
    concurrency: int = 10
    triggers: tuple[QueueTrigger | ScheduleTrigger | CreatedTrigger, ...] = ()
    state_dir: Path | None = None
    token_file: Path | None = None
    agent_url: str | None = None
    port: int = 0
    """0: any free one."""

    def workload_token(self) -> str | None:
        """The workload's token, read anew each time so that a new one counts at once. None where it has none yet."""
        try:
            return self.token_file.read_text().strip() or None if self.token_file else None
        except FileNotFoundError:
            return None


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings in the environment. BindingInvalid names the first variable that is wrong."""
    get = environ.get
    return Settings(
        platform=get(environment.DEPLOYMENT_TYPE, "local"),
        deployment_id=get(environment.DEPLOYMENT_ID, ""),
        resource_id=get(environment.RESOURCE_ID, ""),
        resource_type=get(environment.RESOURCE_TYPE, "worker"),
        release=get(environment.RELEASE, "unreleased"),
        timeout_seconds=_number(environ, environment.TIMEOUT_SECONDS),
        concurrency=int(_number(environ, environment.CONCURRENCY) or 10),
        triggers=_triggers(get(environment.TRIGGERS, "[]")),
        state_dir=_path(get(environment.STATE_DIR)),
        token_file=_path(get(environment.TOKEN_FILE)),
        agent_url=(get(environment.AGENT_URL) or "").rstrip("/") or None,
        port=int(_number(environ, environment.PORT) or 0),
    )


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _number(environ: Mapping[str, str], name: str) -> float | None:
    text = environ.get(name)
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise BindingInvalid(f'{name} is "{text}", which is not a number') from None


def _triggers(text: str) -> tuple[QueueTrigger | ScheduleTrigger | CreatedTrigger, ...]:
    try:
        return tuple(TypeAdapter(list[Trigger]).validate_json(text))
    except ValidationError as error:
        raise BindingInvalid(f"{environment.TRIGGERS} is not a list of triggers: {problems(error)}") from error
