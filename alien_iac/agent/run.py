"""The agent: the loops that poll, apply, report, answer commands and show signs of life, until it is told to end."""

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from alien_iac.agent import health, trust
from alien_iac.agent.apply import Applier
from alien_iac.agent.backoff import Backoff, keep_on
from alien_iac.agent.beats import Beats
from alien_iac.agent.client import Control, Credentials
from alien_iac.agent.commands import Commands
from alien_iac.agent.dispatch import Dispatcher
from alien_iac.agent.health import Examiner, Gate
from alien_iac.agent.hold import held
from alien_iac.agent.invokers import Invokers
from alien_iac.agent.local import LocalMachine
from alien_iac.agent.loopback import Loopback
from alien_iac.agent.machine import Machine
from alien_iac.agent.mailbox import Mailbox
from alien_iac.agent.place import Identity, Place, read_identity, write_identity
from alien_iac.agent.policy import Policy
from alien_iac.agent.store import Store
from alien_iac.agent.telemetry import Telemetry
from alien_iac.agent.updates import PulumiUpdates
from alien_iac.agent.version import VERSION
from alien_iac.errors import AlienError, Conflict, InvalidInput, NotFound, Unsupported
from alien_iac.protocol.api import Desired, Heartbeat
from alien_iac.runtime import serving
from alien_iac.runtime.ending import first

_LOG = logging.getLogger(__name__)
MACHINES: Mapping[str, Callable[[Place], Machine]] = {"local": lambda place: LocalMachine(place.data)}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How often the agent does what it does, in seconds."""

    heartbeat_s: float = 10.0
    keep_s: float = 5.0
    refresh_s: float = 600.0
    """How often the signed metadata is looked at when nothing is released, so that `stale` is said in time."""
    gate: Gate = field(default_factory=Gate)
    backoff: Backoff = field(default_factory=Backoff)


def settings(environment: Mapping[str, str]) -> Settings:
    """The settings with what the environment says of them: `ALIEN_AGENT_HEARTBEAT_SECONDS`, `…_HEALTH_SECONDS`.

    A new release is looked at no less often than signs of life are given.
    Raises InvalidInput for what is no number.
    """
    usual = Settings()
    beat = _seconds(environment, "ALIEN_AGENT_HEARTBEAT_SECONDS", usual.heartbeat_s)
    deadline = _seconds(environment, "ALIEN_AGENT_HEALTH_SECONDS", usual.gate.deadline_s)
    gate = replace(usual.gate, deadline_s=deadline, interval_s=min(usual.gate.interval_s, beat))
    return replace(usual, heartbeat_s=beat, gate=gate)


def _seconds(environment: Mapping[str, str], name: str, usual: float) -> float:
    told = environment.get(name, "")
    try:
        return float(told) if told else usual
    except ValueError as error:
        raise InvalidInput(f'{name} is "{told}"', hint="write a number of seconds, such as 10") from error


class Agent:
    """All parts of one running agent, and its loops."""

    def __init__(self, place: Place, identity: Identity, store: Store, told: asyncio.Event, settings: Settings) -> None:
        self._place = place
        self._settings = settings
        self._identity = identity
        self._store = store
        self._control = Control(identity.control_plane, Credentials(identity.deployment_id, place.key.read_bytes()))
        self._machine = machine_of(place, identity)
        self._http = httpx.AsyncClient(timeout=10, limits=httpx.Limits(max_connections=200))
        self._beats = Beats()
        self._mailbox = Mailbox()
        self._telemetry = Telemetry(place, store, self._control)
        self._doctor = Examiner(self._beats, self._machine, self._http)
        dispatcher = Dispatcher(self._mailbox, Invokers(self._http))
        self._commands = Commands(Policy(place, store), store, self._control, dispatcher)
        self._desired: Desired | None = None
        self._woken = asyncio.Event()
        self._told = told
        self._pulse = asyncio.Event()
        self._looking = threading.Lock()
        self._resumed = False
        self._gave_back = False
        self._applier = Applier(
            place=place,
            identity=identity,
            store=store,
            control=self._control,
            updates=PulumiUpdates(place, identity, self._machine.plugin),
            doctor=self._doctor,
            gate=settings.gate,
            open_repository=self._repository,
            newest=lambda: self._desired.revision if self._desired else 0,
        )

    async def run(self, listener: socket.socket, ended: asyncio.Event) -> None:
        """Until `ended`. An update that runs then is let come to its end, and is looked at after the next start."""
        who, token_file = self._identity.deployment_id, self._machine.token_file
        app = Loopback(who, token_file, self._beats, self._mailbox, self._telemetry.gateway).app()
        server = asyncio.create_task(serving.serve(app, listener, ended))
        loops = [asyncio.create_task(keep_on(what, once, self._settings.backoff)) for what, once in self._loops()]
        try:
            await first([*loops, server], ended)
        finally:
            ended.set()
            await self._mailbox.close()
            for task in loops:
                task.cancel()
            results = await asyncio.gather(*loops, server, return_exceptions=True)
            await self._close()
        _raise_mistake(results)

    def _loops(self) -> list[tuple[str, Callable[[], Awaitable[object]]]]:
        return [
            ("asking what is desired", self._poll),
            ("applying", self._apply),
            ("reporting", self._report),
            ("heartbeat", self._beat),
            ("commands", self._answer),
            ("keeping workloads up", self._keep),
            ("looking at the signed metadata", self._refresh),
            ("passing telemetry on", self._telemetry.forward),
            ("reading what workloads print", self._telemetry.tail),
        ]

    async def _close(self) -> None:
        await self._commands.stop()
        await self._http.aclose()
        await self._control.close()
        self._telemetry.close()

    async def _poll(self) -> None:
        known = self._desired.revision if self._desired else -1
        desired = await self._control.desired(after=known)
        if desired.revision > known:
            self._desired = desired
            self._woken.set()

    async def _apply(self) -> None:
        if not self._resumed:
            await self._applier.resume()
            self._resumed = True
        await self._woken.wait()
        self._woken.clear()
        try:
            if self._desired:
                await self._applier.carry_out(self._desired)
        except AlienError:
            self._woken.set()  # it is not settled: the loop comes here again, later
            raise

    async def _report(self) -> None:
        """Send what is in the outbox, oldest first, and wait for more."""
        self._told.clear()
        for report in self._store.reports():
            try:
                await self._control.report(report)
            except (InvalidInput, NotFound, Conflict) as error:
                _LOG.error("the control plane does not take the report %s: %s", report.id, error)
            self._store.acknowledge(report.id)
            self._pulse.set()
        await self._told.wait()

    async def _beat(self) -> None:
        await self._control.heartbeat(await self._heartbeat())
        self._pulse.clear()
        with suppress(TimeoutError):  # the usual: nothing happened until the next beat is due
            async with asyncio.timeout(self._settings.heartbeat_s):
                await self._pulse.wait()

    async def _heartbeat(self) -> Heartbeat:
        work, outputs = self._store.work, self._store.outputs
        release = work.wanted if work else self._store.current
        workloads = outputs.workloads if outputs else ()
        found = await health.examine(self._doctor, workloads, release.version) if release else ()
        in_doubt = release is None or (work is not None and work.is_update)
        return Heartbeat(
            agent_version=VERSION,
            release=release.version if release else None,
            sequence=release.sequence if release else None,
            health="unknown" if in_doubt else health.overall(found),
            workloads=found,
            stale=await asyncio.to_thread(trust.stale, self._place) is not None,
            telemetry=await asyncio.to_thread(self._telemetry.level),
            telemetry_lost=await asyncio.to_thread(lambda: self._telemetry.lost),
        )

    async def _answer(self) -> None:
        if not self._gave_back:
            await self._commands.give_back_left()
            self._gave_back = True
        await self._commands.poll()

    async def _keep(self) -> None:
        await asyncio.to_thread(self._machine.keep)
        await asyncio.sleep(self._settings.keep_s)

    async def _refresh(self) -> None:
        bearer = await self._control.bearer()
        await asyncio.to_thread(self._look, bearer)
        await asyncio.sleep(self._settings.refresh_s)

    def _look(self, bearer: str) -> None:
        with self._repository(bearer) as repository:
            repository.refresh()

    @contextmanager
    def _repository(self, bearer: str) -> Iterator[trust.Repository]:
        """One look at a time, so that an older answer never takes the place of a newer one on the disk."""
        with self._looking, trust.Repository(self._place, self._identity.control_plane, bearer) as repository:
            yield repository


def machine_of(place: Place, identity: Identity) -> Machine:
    """What the platform of a deployment offers. Raises Unsupported for one on which no agent runs yet."""
    if identity.platform not in MACHINES:
        raise Unsupported(f"an agent runs on {', '.join(MACHINES)}, not yet on {identity.platform}")
    return MACHINES[identity.platform](place)


def run(folder: Path, settings: Settings | None = None) -> None:
    """Run the agent of a folder until SIGTERM or SIGINT; a second signal ends it at once.

    Raises NotFound where the folder is no agent's, Conflict where its agent runs already or its port is taken.
    """
    place = Place(folder.resolve())
    identity = read_identity(place)
    with held(place):
        asyncio.run(_run(place, identity, settings or Settings()))


async def _run(place: Place, identity: Identity, settings: Settings) -> None:
    listener = _listen(identity)
    identity = identity.model_copy(update={"port": listener.getsockname()[1]})
    write_identity(place, identity)
    ended = _ended()
    told = asyncio.Event()
    store = Store(place.state, on_report=told.set)
    _LOG.info("agent %s of %s, on 127.0.0.1:%d", VERSION, identity.deployment_id, identity.port or 0)
    try:
        await Agent(place, identity, store, told, settings).run(listener, ended)
    finally:
        store.close()
    _LOG.info("ended")


def _listen(identity: Identity) -> socket.socket:
    try:
        return serving.bind(identity.port or 0)
    except OSError as error:
        raise Conflict(
            f"port {identity.port}, where the workloads look for their agent, is taken: {error.strerror}",
            hint="end what uses it; the port cannot be changed while workloads know it",
        ) from error


def _ended() -> asyncio.Event:
    """An event that the first SIGTERM or SIGINT sets; the second has the system's own effect."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        ended.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    return ended


def _raise_mistake(results: Sequence[object]) -> None:
    """A loop ends by being cancelled, or by a mistake of ours, and that is not hidden."""
    for result in results:
        if isinstance(result, Exception):
            raise result
