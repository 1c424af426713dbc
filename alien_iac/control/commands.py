"""The life of a command: every change of its state, as pure functions of the command and the instant.

    PENDING_UPLOAD -> PENDING -> DISPATCHED -> SUCCEEDED | FAILED
                         ^___________|            (lease released, or run out: the next attempt)
    any of the first three -> EXPIRED (its time is over) | FAILED (cancelled, or no attempts left)

`attempt` is the number of the present or next delivery, from 1. A terminal state never changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alien_iac.control import refusals
from alien_iac.protocol import arc

MAX_ATTEMPTS = 5
LONGEST_LIFE = timedelta(days=7)
"""How long a command without a deadline waits to be answered."""
FARTHEST = timedelta(days=366)
"""A deadline lies no farther ahead."""
MOST_OPEN = 10_000
"""Commands of one deployment that wait at once."""
CANCELLED = "COMMAND_CANCELLED"
EXHAUSTED = "MAX_ATTEMPTS"
RESTORED = "RESTORED"
DELIVERABLE = frozenset[arc.State]({"PENDING", "DISPATCHED"})


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command. Its parameters are kept elsewhere."""

    id: str
    deployment_id: str
    command: str
    target: arc.Target
    state: arc.State
    attempt: int = 1
    max_attempts: int = MAX_ATTEMPTS
    priority: int = 0
    created_at: datetime
    deadline: datetime | None = None
    expires_at: datetime
    lease_id: str | None = None
    lease_expires_at: datetime | None = None
    ended_at: datetime | None = None
    response: arc.Response | None = None

    @property
    def ended(self) -> bool:
        return self.state in arc.TERMINAL

    @property
    def available_at(self) -> datetime | None:
        """From when on it may be leased (again); None: not at all."""
        if self.state == "PENDING":
            return self.created_at
        return self.lease_expires_at if self.state == "DISPATCHED" and self.attempt < self.max_attempts else None

    @property
    def ends_by(self) -> datetime | None:
        """When it ends by itself; None once it has ended."""
        if self.ended:
            return None
        if self.state == "DISPATCHED" and self.attempt >= self.max_attempts and self.lease_expires_at:
            return min(self.expires_at, self.lease_expires_at)
        return self.expires_at


def new(command_id: str, request: arc.CreateCommand, target: arc.Target, now: datetime, *, upload: bool) -> Command:
    """A command as it begins. CommandInvalid for a bad name or a deadline that is over."""
    if not request.command or ":" in request.command or len(request.command) > 200:  # noqa: PLR2004 - the column's width
        raise refusals.CommandInvalid(
            f'"{request.command[:200]}" is not a command\'s name', hint='1 to 200 characters without ":"'
        )
    deadline = _deadline(request, now)
    return Command(
        id=command_id,
        deployment_id=request.deployment_id,
        command=request.command,
        target=target,
        state="PENDING_UPLOAD" if upload else "PENDING",
        max_attempts=request.max_attempts or MAX_ATTEMPTS,
        priority=request.priority,
        created_at=now,
        deadline=deadline,
        expires_at=deadline or now + LONGEST_LIFE,
    )


def _deadline(request: arc.CreateCommand, now: datetime) -> datetime | None:
    """The earlier of the instant and the seconds that the sender named."""
    named = request.deadline
    if named is not None and not now < named <= now + FARTHEST:
        wrong = "over" if named <= now else f"more than {FARTHEST.days} days ahead"
        raise refusals.CommandInvalid(
            f"the deadline {named.isoformat()} is {wrong}", hint=f"it is {now.isoformat()} here"
        )
    after = now + timedelta(seconds=request.timeout_seconds) if request.timeout_seconds else None
    return min((at for at in (named, after) if at), default=None)


def choose_target(targets: Sequence[Mapping[str, str]], named: str | None) -> arc.Target:
    """The workload that is to answer: the named one, or the only one."""
    known = [arc.Target.model_validate(target) for target in targets]
    names = ", ".join(target.resource_id for target in known)
    if named is not None and ":" in named:
        raise refusals.CommandInvalid(f'"{named}" is not a workload\'s id', hint='ids have no ":"')
    if not known:
        raise refusals.NoTargets(
            "no workload of this deployment takes commands", hint="has its agent reported a release with commands=True?"
        )
    found = [target for target in known if named in {None, target.resource_id}]
    if not found:
        raise refusals.TargetUnknown(f'no workload "{named}" takes commands', hint=f"these do: {names}")
    if len(found) > 1:
        raise refusals.TargetAmbiguous(f"{len(found)} workloads take commands: {names}", hint="name one as the target")
    return found[0]


def uploaded(command: Command) -> Command:
    """Its parameters have come. Again is fine while it is not leased."""
    if command.state == "PENDING_UPLOAD":
        return replace(command, state="PENDING")
    if command.ended:
        raise refusals.WrongState(f"command {command.id} is {command.state}; it takes no parameters any more")
    return command


def lease(command: Command, lease_id: str, seconds: int, now: datetime) -> Command:
    """Deliver it: for the first time, or once more because its lease has run out."""
    again = command.state == "DISPATCHED"
    return replace(
        command,
        state="DISPATCHED",
        attempt=command.attempt + again,
        lease_id=lease_id,
        lease_expires_at=now + timedelta(seconds=seconds),
    )


def renew(command: Command, seconds: int, now: datetime) -> Command:
    """Its lease is held for so long from now. One that ran out is renewed too, while nobody else has the command."""
    command = overdue(command, now)
    if command.state != "DISPATCHED":
        raise refusals.LeaseUnknown(f"command {command.id} is {command.state}: its lease has ended")
    return replace(command, lease_expires_at=now + timedelta(seconds=seconds))


def release(command: Command, now: datetime) -> Command:
    """Its lease was given up: it waits for the next attempt, or ends when there is none left."""
    if command.attempt >= command.max_attempts:
        return _exhausted(command, now)
    return replace(command, state="PENDING", attempt=command.attempt + 1, lease_id=None, lease_expires_at=None)


def give_back(command: Command) -> Command:
    """The lease never reached anyone: as if it had not been given. The attempt does not count."""
    return replace(command, state="PENDING", lease_id=None, lease_expires_at=None)


def answer(command: Command, response: arc.Response, lease_id: str | None, now: datetime) -> Command:
    """Record a result, once: what has ended stays as it is.

    `lease_id` None: the caller is the deployment's agent itself. WrongState where it was never delivered;
    LeaseSuperseded where another attempt holds it.
    """
    command = overdue(command, now)
    if command.ended:
        return command
    if lease_id is not None and lease_id != command.lease_id:
        raise refusals.LeaseSuperseded(
            f"lease {lease_id} of command {command.id} has ended", hint="another attempt will give the result"
        )
    if command.state != "DISPATCHED":
        raise refusals.WrongState(f"command {command.id} is {command.state}; only one that is leased can be answered")
    state: arc.State = "SUCCEEDED" if isinstance(response, arc.Success) else "FAILED"
    return _end(command, state, now, response)


def cancel(command: Command, now: datetime) -> Command:
    """End it, unless it has ended. A handler that runs is not stopped; its result is dropped."""
    command = overdue(command, now)
    if command.ended:
        return command
    return _end(command, "FAILED", now, arc.Failure(code=CANCELLED, message="the command was cancelled"))


def restored(command: Command, now: datetime) -> Command:
    """End it, unless it has ended: whether it was done since the backup, nobody knows."""
    if command.ended:
        return command
    said = "the control plane was restored from a backup; the command may have been done, or not"
    return _end(command, "FAILED", now, arc.Failure(code=RESTORED, message=said))


def overdue(command: Command, now: datetime) -> Command:
    """The same command, ended if its time is over or its last lease ran out."""
    if command.ended or command.ends_by is None or command.ends_by > now:
        return command
    at = command.ends_by  # not the instant of this look: it ended by itself
    return _end(command, "EXPIRED", at, None) if command.expires_at <= at else _exhausted(command, at)


def _exhausted(command: Command, now: datetime) -> Command:
    said = f"no result after {command.attempt} attempt(s)"
    return _end(command, "FAILED", now, arc.Failure(code=EXHAUSTED, message=said))


def _end(command: Command, state: arc.State, now: datetime, response: arc.Response | None) -> Command:
    return replace(command, state=state, ended_at=now, response=response, lease_expires_at=None)
