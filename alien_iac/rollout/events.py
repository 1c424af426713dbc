"""What happens to a rollout (events), what it makes happen (effects), and what is written down of it (audit)."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from alien_iac.protocol.api import HealthWord, Report, RolloutAction


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Started(_Frozen):
    """The plan is stored; the first wave may begin."""

    kind: Literal["started"] = "started"
    actor: str
    reason: str = ""


class Reported(_Frozen):
    """An agent's report on its newest desired revision; whoever feeds events leaves out those on older ones."""

    kind: Literal["reported"] = "reported"
    deployment_id: str
    report: Report


class Seen(_Frozen):
    """A heartbeat: which release runs, how it is, and when that was said."""

    kind: Literal["seen"] = "seen"
    deployment_id: str
    release: str | None
    health: HealthWord
    at: AwareDatetime


class TimerDue(_Frozen):
    """The instant that was asked for has come. `health` has the newest heartbeat of each deployment that is watched."""

    kind: Literal["timer"] = "timer"
    health: tuple[Seen, ...] = ()


class Acted(_Frozen):
    """A person did something to the rollout."""

    kind: Literal["acted"] = "acted"
    action: RolloutAction
    actor: str


class Superseded(_Frozen):
    """A newer rollout took over these deployments."""

    kind: Literal["superseded"] = "superseded"
    by: str
    deployment_ids: tuple[str, ...]


Event = Annotated[Started | Reported | Seen | TimerDue | Acted | Superseded, Field(discriminator="kind")]


class SetDesired(_Frozen):
    """The deployment is to run the release."""

    kind: Literal["set-desired"] = "set-desired"
    deployment_id: str
    release: str


class Return(_Frozen):
    """The deployment is to run, or go back to, its release from before the rollout (None: it had none)."""

    kind: Literal["return"] = "return"
    deployment_id: str
    release: str | None


class StartTimer(_Frozen):
    """`TimerDue` is wanted at `at` (or soon after)."""

    kind: Literal["timer"] = "timer"
    at: AwareDatetime


class Notify(_Frozen):
    """People should know: an approval is wanted, the rollout halted, it ended."""

    kind: Literal["notify"] = "notify"
    subject: Literal["approval", "halted", "ended"]
    message: str


Effect = Annotated[SetDesired | Return | StartTimer | Notify, Field(discriminator="kind")]


class Audit(_Frozen):
    """One line of the audit log: who, when, what, why."""

    at: AwareDatetime
    actor: str
    """A person's name; `agent:<deployment>`; `timer`; `rollout:<id>` of a newer one."""
    what: str
    reason: str = ""
    state: str
    """The rollout's state after it."""
