"""The control plane as a process: its folder, its parts, uvicorn, and an orderly end."""

import asyncio
import contextlib
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace

import uvicorn
from fastapi import FastAPI
from psycopg import OperationalError
from sqlalchemy import URL

from alien_iac.control import housekeeping
from alien_iac.control.admission import Admission
from alien_iac.control.app import create_app
from alien_iac.control.blobs import Folder
from alien_iac.control.collaborators import Control, utc_now
from alien_iac.control.folder import DataFolder
from alien_iac.control.forwarding import Forwarder, Target
from alien_iac.control.sealed_files import SealedFolder
from alien_iac.control.settings import Settings
from alien_iac.control.signatures import Signer
from alien_iac.control.store import migrations
from alien_iac.control.store.engine import Clock, Database
from alien_iac.control.store.notices import Notices
from alien_iac.control.store.postgres import DatabaseClock, Leading, PostgresStore
from alien_iac.control.store.rollouts import RolloutStore
from alien_iac.control.waiting import Waiting
from alien_iac.errors import Conflict, InvalidInput, Unavailable
from alien_iac.rollout.effects import Runner
from alien_iac.rollout.places import FilePlace, Place
from alien_iac.rollout.service import Rollouts

BLOB_LIMIT = 4 << 30
BODY_LIMIT = 256 << 20
RECHECK_S = 12.0
"""About how often a held request looks unwoken, where what wakes it may come from another instance."""
BACKLOG = 4_096
"""Connections that wait to be accepted: after a restart all agents come back at once."""

# By name: the parser that it stands on is not there on Windows, where uvicorn's slower one bounds heads by itself.
_HTTP = "h11" if sys.platform == "win32" else "alien_iac.control.connections:BoundedProtocol"


@dataclass(frozen=True, kw_only=True)
class Started:
    """A control plane that listens."""

    url: str
    admin_token_file: str
    """Path of the file with the token of the admin."""


@contextlib.contextmanager
def opened(folder: DataFolder, database: URL | None = None, public_url: str | None = None) -> Iterator[Control]:
    """The parts of a control plane, closed at the end.

    `database`: of Postgres, which several processes may share, and the folder with it; without, SQLite in the folder,
    and Conflict where another process has it.
    """
    with _base(folder, database) as base:
        base.upgrade()
        folder.first_admin(base.database)
        store, signal_ = RolloutStore(base.database), threading.Event()
        rollouts = Rollouts(store, clock=base.clock, changed=signal_.set)
        runner = Runner(rollouts=rollouts, store=store, place=base.place, signal=signal_, clock=base.clock)
        with _running(runner):
            yield Control(
                database=base.database,
                waiting=base.waiting,
                blobs=Folder(folder.path / "blobs", BLOB_LIMIT),
                bodies=SealedFolder(folder.path / "bodies", BODY_LIMIT, folder.vault),
                signer=Signer(folder.url_key()),
                secret=folder.secrets_key(),
                keys=folder.online_keys(),
                rollouts=rollouts,
                admission=Admission(base.database, base.clock),
                clock=base.clock,
                public_url=public_url,
            )


@dataclass(frozen=True, kw_only=True)
class _Base:
    """What stands on the one database or the other."""

    database: Database
    waiting: Waiting
    clock: Clock
    place: Place

    def upgrade(self) -> None:
        migrations.upgrade(self.database.engine)


@contextlib.contextmanager
def _base(folder: DataFolder, url: URL | None) -> Iterator[_Base]:
    if url is None:
        with folder.lock():
            waiting, place = Waiting(), FilePlace(folder.path / "rollouts")
            database = Database(folder.store(), utc_now, waiting.wake, folder.vault)
            with contextlib.closing(database):
                yield _Base(database=database, waiting=waiting, clock=utc_now, place=place)
        return
    folder.make()
    store, clock, waiting = PostgresStore(url), DatabaseClock(), Waiting(RECHECK_S)
    notices = Notices(store, clock, waiting.wake, waiting.wake_all)
    with contextlib.closing(Database(store, clock, waiting.wake, folder.vault)) as database, _reached(notices):
        yield _Base(database=database, waiting=waiting, clock=clock, place=Leading(store))


@contextlib.contextmanager
def _reached(notices: Notices) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(notices.heard())
        except OperationalError as error:
            raise Unavailable(f"Postgres cannot be reached: {str(error).strip()}") from error
        yield


@contextlib.contextmanager
def _running(runner: Runner) -> Iterator[None]:
    runner.start()
    try:
        yield
    finally:
        runner.stop()


def serve(settings: Settings, ready: Callable[[Started], None]) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called once it listens.

    InvalidInput for settings that are not safe; Conflict where the port or the folder is taken.
    """
    settings.check()
    folder = DataFolder(settings.data, settings.vault_keys())
    with opened(folder, settings.database, settings.public_url) as parts, _listen(settings) as listener:
        control = replace(parts, forwards=settings.forward is not None)
        app = create_app(control, strict_transport=settings.tls, lifespan=_lifespan(control, settings.forward))
        scheme = "https" if settings.tls else "http"
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        started = Started(url=f"{scheme}://{shown}:{port}", admin_token_file=str(folder.admin_token))
        server = _Server(_config(app, settings), control.waiting, lambda: ready(started))
        with _own_signals():
            server.run(sockets=[listener])


def _config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        access_log=False,  # URLs of responses hold a token
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=settings.drain_seconds,
        timeout_keep_alive=75,
        backlog=BACKLOG,
        ssl_certfile=settings.certificate,
        ssl_keyfile=str(settings.private_key) if settings.private_key else None,
        http=_HTTP,
        ws="none",
    )


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With the protocol named, since asyncio sets TCP_NODELAY only then: without it each answer takes 40 ms more.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except socket.gaierror as error:
        listener.close()
        raise InvalidInput(f'"{settings.host}" is not an address of this machine') from error
    except OSError as error:
        listener.close()
        raise Conflict(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror}",
            hint="choose another port, or 0 for whichever is free",
        ) from error
    listener.listen(BACKLOG)
    return listener


def _lifespan(
    control: Control, forward: Target | None
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(housekeeping.run(control))]
        if forward:
            tasks.append(asyncio.create_task(Forwarder(forward, control.database, control.waiting).run()))
        yield
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):  # that is how it ends
                await task

    return lifespan


class _Server(uvicorn.Server):
    """Says when it listens, and answers held requests before it waits for the others."""

    def __init__(self, config: uvicorn.Config, waiting: Waiting, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._waiting = waiting
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._waiting.close()
        await super().shutdown(sockets)


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Uvicorn raises a signal again after its own end; we have more to close then."""
    names = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(name, lambda _number, _frame: None) for name in names]
    try:
        yield
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)
