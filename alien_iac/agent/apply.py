"""What is desired, brought about: verify -> ask the customer's say -> apply -> look -> confirm or go back -> report.

Each step hands plain data to the next. Before an effect, the state says that it begins: a killed agent resumes there.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from alien_iac.agent import admission, health, reports, say, shelf, trust, work
from alien_iac.agent.client import Control
from alien_iac.agent.health import Doctor, Gate
from alien_iac.agent.place import Identity, Place
from alien_iac.agent.release import Release
from alien_iac.agent.shelf import Laid
from alien_iac.agent.store import Store, Waiting
from alien_iac.agent.updates import Plan, Updates
from alien_iac.agent.version import VERSION
from alien_iac.agent.work import End, Work
from alien_iac.errors import (
    AlienError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Unauthorized,
    Unavailable,
    Untrusted,
)
from alien_iac.protocol.api import Desired

_LOG = logging.getLogger(__name__)
LOOK_AGAIN_S = 1.0
"""How often a waiting revision is looked at again."""
LOCKED_S = 600.0
"""How long the agent waits for somebody else's update of the same Pulumi stack."""
PACKAGES = {"local": frozenset({"alien"})}
"""The Pulumi packages that a release may use where the customer names none. Other platforms: alien and their own."""


@dataclass(frozen=True, kw_only=True)
class Applier:
    """Carries out one desired revision after the other. `newest` gives the newest revision that is known."""

    place: Place
    identity: Identity
    store: Store
    control: Control
    updates: Updates
    doctor: Doctor
    gate: Gate
    open_repository: Callable[[str], AbstractContextManager[trust.Repository]]
    """A look at what is signed, given a bearer token."""
    newest: Callable[[], int]

    async def resume(self) -> None:
        """Take up what an earlier life of the agent left in the middle."""
        left = self.store.work
        if left is None:
            return
        _LOG.info("resuming revision %d, which was %s %s", left.revision, left.phase, left.wanted.version)
        following = work.resumed(left)
        if isinstance(following, Work) and following.is_update:
            try:
                await asyncio.to_thread(self._unlock, following.wanted)
            except AlienError as error:
                following = work.failed(left, error)
        self._write(left, following)
        if isinstance(following, Work):
            await self._drive(following)

    async def carry_out(self, desired: Desired) -> None:
        """Bring about a revision that was not settled yet. Raises Unavailable where it must be tried again later."""
        settled = self.store.settled
        nothing = desired.manifest is None and desired.action == "apply"
        if nothing or (settled and settled.revision >= desired.revision):
            return
        self.store.queue(reports.accepted(self.identity.deployment_id, desired))
        if desired.action == "destroy":
            await self._destroy(desired)
        elif release := await self._admitted(desired):
            back = admission.may_return(self.store.current, self.store.standing)
            begun = Work(
                revision=desired.revision, rollout_id=desired.rollout_id, phase="applying", to=release, back=back
            )
            self.store.advance(begun, reports.progress(self.identity.deployment_id, begun))
            await self._drive(begun)

    async def _admitted(self, desired: Desired) -> Release | None:
        """The release to apply, with nothing in its way any more; None where the revision has ended, or is outdated."""
        try:
            release = await self._verified(desired)
            if self._is_there(release):
                self._end(desired, End(phase="unchanged", runs=release, whole=True))
                return None
            plan = await asyncio.to_thread(lambda: self.updates.plan(self._laid(release)))
            return release if await self._allowed(desired, release, plan) else None
        except (Untrusted, Forbidden) as error:
            self._refuse(desired, error)
        except (Unavailable, Unauthorized):
            raise
        except AlienError as error:
            end = End(phase="failed", runs=self.store.current, whole=self._is_whole(), reason=error.message)
            self._end(desired, replace(end, error_code=error.code))
        return None

    async def _verified(self, desired: Desired) -> Release:
        """The release that is meant, with all its bytes here and checked."""
        if desired.manifest is None:
            return self._last_healthy()
        bearer = await self.control.bearer()
        release, standing = await asyncio.to_thread(self._look, bearer, desired, self.store.standing)
        self.store.raise_standing(standing)
        admission.check_sequence(release, standing, self.store.current, self.store.previous)
        return release

    def _look(self, bearer: str, desired: Desired, standing: admission.Standing) -> tuple[Release, admission.Standing]:
        with self.open_repository(bearer) as repository:
            repository.refresh()
            release = repository.release(str(desired.manifest), desired.config)
            admission.check_release(release, self.identity, VERSION)
            raised = admission.raised(standing, release, self.identity.program)
            for blob in release.manifest.blobs_on(self.identity.platform):
                repository.blob(blob)
        return release, raised

    def _last_healthy(self) -> Release:
        last = self.store.previous if self._is_whole() else self.store.current
        if last is None:
            raise NotFound("there is no earlier healthy release to go back to", hint="release one that works")
        return last

    def _is_whole(self) -> bool:
        """Whether what runs is known to be well; a failed way back leaves it in doubt."""
        settled = self.store.settled
        return settled is None or settled.whole

    def _is_there(self, release: Release) -> bool:
        current = self.store.current
        return current is not None and self._is_whole() and current.fingerprint == release.fingerprint

    async def _allowed(self, desired: Desired, release: Release, plan: Plan) -> bool:
        """Wait for the customer's approval and window. False where something newer is desired by then."""
        vendors = say.vendor_say(release.config.values if release.config else {})
        return await self._waited(desired, release, lambda: self._obstacle(desired, vendors, plan))

    async def _waited(self, desired: Desired, release: Release | None, obstacle: Callable[[], str]) -> bool:
        """Wait until there is no obstacle. False where something newer is desired by then."""
        try:
            while (reason := obstacle()) and self.newest() <= desired.revision:
                self._tell_waiting(desired, release, reason)
                await asyncio.sleep(LOOK_AGAIN_S)
        finally:
            if self.store.waiting:
                self.store.wait(None)
        return not reason

    def _tell_waiting(self, desired: Desired, release: Release | None, reason: str) -> None:
        waiting = Waiting(revision=desired.revision, release=release.version if release else None, reason=reason)
        if self.store.waiting != waiting:
            _LOG.info("revision %d waits: %s", desired.revision, reason)
            self.store.wait(waiting, reports.waiting(self.identity.deployment_id, desired, reason))

    def _obstacle(self, desired: Desired, vendors: say.VendorSay, plan: Plan) -> str:
        """Why an update may not begin now; empty where it may. A return never waits: it takes a failure away.

        Raises Forbidden where it uses a Pulumi package that the customer does not allow.
        """
        try:
            mine = say.read(self.place.say)
        except InvalidInput as error:
            return str(error)
        allowed = frozenset(mine.providers) or _packages_of(self.identity.platform)
        if foreign := ", ".join(sorted(plan.packages - allowed)):
            raise Forbidden(
                f"it uses the Pulumi package(s) {foreign}, not allowed here",
                hint=f"the customer may add them to `providers` in {self.place.say.name}",
            )
        if desired.action == "return":
            return ""
        if not self.store.is_approved(desired.revision) and (why := self._needs_approval(mine, vendors, plan)):
            return why
        return "" if say.may_begin(mine, vendors, datetime.now(UTC)) else "window"

    def _needs_approval(self, mine: say.Say, vendors: say.VendorSay, plan: Plan) -> str:
        outputs = self.store.outputs
        if frozen := ", ".join(sorted(plan.touched & set(outputs.frozen if outputs else ()))):
            return f"approval: it touches {frozen}, which is frozen"
        return "approval" if say.needs_approval(mine, vendors) else ""

    async def _drive(self, current: Work) -> None:
        """Carry out phase after phase until the revision has ended."""
        following: Work | End = current
        while isinstance(following, Work):
            current = following
            try:
                await self._do(current)
            except AlienError as error:
                _LOG.warning("%s %s failed: %s", current.phase, current.wanted.version, error)
                following = work.failed(current, error)
            else:
                following = work.succeeded(current)
            self._write(current, following)

    def _write(self, before: Work, following: Work | End) -> None:
        if isinstance(following, Work):
            self.store.advance(following, reports.progress(self.identity.deployment_id, following))
            return
        _LOG.info("revision %d: %s", before.revision, following.phase)
        self._settle(before.revision, before.rollout_id, following)
        kept = [release for release in (self.store.current, self.store.previous) if release]
        shelf.prune(self.place, kept)

    async def _do(self, current: Work) -> None:
        if current.is_update:
            await self._update(current.wanted)
            return
        outputs = self.store.outputs
        workloads = outputs.workloads if outputs else ()
        version = current.wanted.version
        await health.pass_gate(self.doctor, workloads, version, self.gate, lambda: self.control.last_contact)

    async def _update(self, release: Release) -> None:
        """Bring the release up; somebody else's update of the same Pulumi stack is waited for."""
        for _ in range(int(LOCKED_S / 5)):
            try:
                outputs = await asyncio.to_thread(lambda: self.updates.up(self._laid(release)))
            except Conflict as error:
                _LOG.info("waiting: %s", error)
                await asyncio.sleep(5)
            else:
                return self.store.keep_outputs(outputs)
        raise Conflict(f"the Pulumi stack was held by somebody else for {LOCKED_S:.0f} s")

    def _unlock(self, release: Release) -> None:
        self.updates.unlock(self._laid(release))

    def _laid(self, release: Release) -> Laid:
        return shelf.lay_out(self.place, release, self.identity.platform, lambda blob: trust.cached(self.place, blob))

    async def _destroy(self, desired: Desired) -> None:
        """Take the deployment down, always with the customer's own word: nothing that the vendor signed asks for it."""
        current = self.store.current
        if current is None:
            return self._end(desired, End(phase="unchanged", runs=None, whole=True))

        def no_word_yet() -> str:
            return "" if self.store.is_approved(desired.revision) else "approval: it takes the deployment down"

        if not await self._waited(desired, None, no_word_yet):
            return None
        try:
            kept = await asyncio.to_thread(lambda: self.updates.destroy(self._laid(current)))
        except AlienError as error:
            end = End(phase="failed", runs=current, whole=False, reason=str(error), error_code=error.code)
            return self._end(desired, end)
        for one in kept:
            _LOG.info("kept: %s %s in %s", one.type, one.id, one.place)
        self.store.forget_release()
        return self._end(desired, End(phase="succeeded", runs=None, whole=True, reason="destroyed; its data stays"))

    def _refuse(self, desired: Desired, error: AlienError) -> None:
        """Say no, and leave what runs as it is. Expired metadata may be renewed, so that is looked at again."""
        told = reports.refused(self.identity.deployment_id, desired, error, self.store.current)
        if error.context.get("expired"):
            self.store.queue(told)
            raise error
        _LOG.warning("revision %d is refused: %s", desired.revision, error)
        end = End(phase="refused", runs=self.store.current, whole=self._is_whole(), reason=error.message)
        self.store.settle(desired.revision, end, told)

    def _end(self, desired: Desired, end: End) -> None:
        self._settle(desired.revision, desired.rollout_id, end)

    def _settle(self, revision: int, rollout_id: str | None, end: End) -> None:
        told = reports.ended(self.identity.deployment_id, revision, rollout_id, end, self.store.outputs)
        self.store.settle(revision, end, told)


def _packages_of(platform: str) -> frozenset[str]:
    return PACKAGES.get(platform, frozenset({"alien", platform, f"{platform}-native"}))
