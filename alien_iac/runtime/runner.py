"""Runs handlers: the time they have, the same delivery twice at once, what a failure says, and how it all stops.

Adapters translate a platform's events to `Work` and outcomes back. Nothing about handlers is decided in them.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import math
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alien_iac.errors import BindingInvalid, HandlerFailed, SecretNotSet
from alien_iac.runtime import work as works
from alien_iac.runtime.clock import Clock
from alien_iac.runtime.handlers import Handler, Handlers
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.signatures import Binder, Call, Rejected, binder
from alien_iac.runtime.telemetry.handling import handled
from alien_iac.runtime.work import Done, Failed, Outcome, Work

HANDLER_ERROR = "HANDLER_ERROR"
HANDLER_TIMEOUT = "HANDLER_TIMEOUT"
EXPIRED = "COMMAND_EXPIRED"
STOPPED = "STOPPED"
"""The handler was cut off because its process ends: give the work back, it has not failed."""

_SPEAKS = (BindingInvalid, SecretNotSet)
"""Our own errors whose text names resources and variables only, so that it may leave."""


@dataclass(frozen=True)
class _Limit:
    """When a handler that runs is cut off; `own`: at the latest, by the event loop's clock."""

    timeout: asyncio.Timeout
    own: float


class Runner:
    """Runs the handlers of one workload. Made once, for one event loop."""

    def __init__(self, handlers: Handlers, *, clock: Clock, timeout_seconds: float | None = None) -> None:
        self.handlers = handlers
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._binders: dict[Handler, Binder] = {handler: binder(handler) for handler in handlers.all}
        self._running: dict[tuple[Handler, str], asyncio.Task[Outcome]] = {}
        self._limits: dict[tuple[Handler, str], _Limit] = {}

    def now(self) -> datetime:
        """The instant, by the clock that handlers' time is measured with."""
        return self._clock.now()

    async def run(self, work: Work) -> Outcome:
        """How the delivery ended. One that is already running under the same id is waited for, not run again.

        Only the runner's own end (`stop`) cancels the handler: a caller that goes away does not.
        """
        key = (work.handler, work.id)
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._run(work), name=f"{work.handler.kind} {work.handler.name}")
            self._running[key] = task
            task.add_done_callback(lambda _: self._running.pop(key, None))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                return Failed(STOPPED, "the workload stopped before the handler had ended")
            raise

    def postpone(self, handler: Handler, number: str, deadline: datetime) -> None:
        """Let a delivery that is under way take until this deadline, or to the end of the handler's own time."""
        limit = self._limits.get((handler, number))
        if limit is not None and not limit.timeout.expired():
            ends = asyncio.get_running_loop().time() + (deadline - self._clock.now()).total_seconds()
            limit.timeout.reschedule(min(ends, limit.own))

    async def stop(self, seconds: float) -> None:
        """Let what runs come to its end for so long, then cancel it."""
        if self._running:
            await asyncio.wait(self._running.values(), timeout=seconds)
        rest = list(self._running.values())
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _run(self, work: Work) -> Outcome:
        started = time.monotonic()
        parent = work.trace.traceparent if work.trace else None
        with handled(work.handler.kind, work.handler.name, work.id, work.attempt, parent) as told:
            outcome = await self.attempt(work)
            failed = outcome if isinstance(outcome, Failed) else None
            told.code = failed.code if failed else told.code
        facts = {"name": work.handler.name or work.handler.place, "id": work.id, "attempt": work.attempt}
        spent = round((time.monotonic() - started) * 1000)
        LOGGER.info(
            line(
                work.handler.kind,
                **facts,
                outcome=failed.code if failed else "done",
                ms=spent,
                why=failed and failed.message,
            )
        )
        return outcome

    async def attempt(self, work: Work, *, log_failure: bool = True) -> Outcome:
        """Run the handler, and nothing around it."""
        budget = self._budget(work.deadline)
        if budget is not None and budget <= 0:
            return Failed(EXPIRED, "the deadline had passed before the work began")
        begun = asyncio.get_running_loop().time()
        try:
            call = self._binders[work.handler](work.payload)
            async with asyncio.timeout(budget) as limit:
                with self._limited(work, _Limit(limit, begun + (self._timeout_seconds or math.inf))):
                    return Done(await _call(work, call))
        except Rejected as error:
            return Failed(error.code, error.message)
        except TimeoutError as error:
            if limit.expired():
                seconds = round((limit.when() or begun) - begun, 1)
                return Failed(HANDLER_TIMEOUT, f"{work.handler.place} did not end within {seconds:g} s")
            return _failure(work, error, log=log_failure)
        except Exception as error:  # noqa: BLE001 - the outermost loop around the vendor's code; `_failure` logs it
            return _failure(work, error, log=log_failure)

    @contextlib.contextmanager
    def _limited(self, work: Work, limit: _Limit) -> Iterator[None]:
        key = (work.handler, work.id)
        self._limits[key] = limit
        try:
            yield
        finally:
            self._limits.pop(key, None)

    def _budget(self, deadline: datetime | None) -> float | None:
        """Seconds that the handler has: its own timeout or the rest to the deadline, whichever is less."""
        rest = (deadline - self._clock.now()).total_seconds() if deadline else None
        limits = [seconds for seconds in (self._timeout_seconds, rest) if seconds is not None]
        return min(limits, default=None)


async def _call(work: Work, call: Call) -> object:
    """Call the handler: an async one here, any other in a thread of its own."""
    function = work.handler.function
    try:
        if inspect.iscoroutinefunction(function):
            works.enter(work)
            return await function(*call.args, **call.kwargs)
        result = await _in_thread(lambda: _entered(work, function, call))
        return await result if inspect.isawaitable(result) else result
    except SystemExit as error:
        raise HandlerFailed(f"{work.handler.place} tried to end the process") from error


def _entered(work: Work, function: Callable[..., Any], call: Call) -> object:
    works.enter(work)
    return function(*call.args, **call.kwargs)


async def _in_thread(call: Callable[[], object]) -> object:
    """The call's result, from a daemon thread: one that never ends must not keep the process from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[object] = loop.create_future()

    def settle(setter: Callable[[Any], None], value: object) -> None:
        if not future.done():
            setter(value)

    def tell(setter: Callable[[Any], None], value: object) -> None:
        # The loop is gone where the process stops without waiting for this thread any longer.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, setter, value)

    def run() -> None:
        try:
            tell(future.set_result, call())
        except StopIteration:
            tell(future.set_exception, RuntimeError("a handler raised StopIteration"))
        except BaseException as error:  # noqa: BLE001 - handed to the task that waits
            tell(future.set_exception, error)

    threading.Thread(target=contextvars.copy_context().run, args=(run,), name="alien-handler", daemon=True).start()
    return await future


def _failure(work: Work, error: BaseException, *, log: bool) -> Failed:
    """Log the whole of it here, and say what is safe to whoever asked."""
    if log:
        LOGGER.error(line(f"{work.handler.kind} failed", name=work.handler.name, id=work.id), exc_info=error)
    if isinstance(error, HandlerFailed):
        return Failed(str(error.context.get("code", HANDLER_ERROR)), error.message)
    return Failed(HANDLER_ERROR, failure_text(error, work.handler))


def failure_text(error: BaseException, handler: Handler) -> str:
    """The exception's class and the handler's line that it came through: its own text may hold a secret.

    The two of our errors that speak of nothing but names of resources and variables are given whole, and so is the
    text of a `HandlerFailed`, which an author raises to say something to the caller.
    """
    if isinstance(error, _SPEAKS):
        return f"{type(error).__name__}: {error.message}" + (f" ({error.hint})" if error.hint else "")
    return f"{type(error).__name__} at {_place(error, handler)}"


def _place(error: BaseException, handler: Handler) -> str:
    own = getattr(inspect.unwrap(handler.function), "__code__", None)
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code is own:
            return f"{handler.function.__module__}.{frame.f_code.co_qualname}:{number}"
    return handler.place
