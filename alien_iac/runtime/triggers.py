"""What starts a Function's handlers, checked against them before anything is served."""

from __future__ import annotations

from alien_iac.errors import InvalidInput
from alien_iac.models.triggers import CreatedTrigger, QueueTrigger, ScheduleTrigger
from alien_iac.runtime.handlers import Handler, Handlers
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.settings import Settings


def check(handlers: Handlers, settings: Settings) -> None:
    """InvalidInput, naming all, where a trigger starts no handler. A handler that nothing starts is a remark."""
    missing = []
    started: set[Handler] = set(handlers.of("command")) | set(handlers.of("health"))
    for trigger in settings.triggers:
        found, decorator = _handlers_of(trigger, handlers)
        started |= set(found)
        missing += [] if found else [f"  {decorator}"]
    for handler in handlers.all:
        if handler not in started:
            LOGGER.warning(line("never called", kind=handler.kind, name=handler.name, handler=handler.place))
    if missing:
        text = "\n".join(missing)
        raise InvalidInput(
            f"the code has no handler for {len(missing)} of the triggers of {settings.resource_id!r}:\n{text}",
            hint="decorate a function of main.py, or of a module that it imports, with each of these",
        )


def queues(settings: Settings) -> tuple[str, ...]:
    """The ids of the queues whose messages start the Function."""
    return tuple(trigger.resource for trigger in settings.triggers if isinstance(trigger, QueueTrigger))


def storages(settings: Settings) -> tuple[str, ...]:
    """The ids of the storages whose new objects start the Function."""
    return tuple(trigger.resource for trigger in settings.triggers if isinstance(trigger, CreatedTrigger))


def schedules(settings: Settings) -> tuple[ScheduleTrigger, ...]:
    """The schedules that start the Function, in their order."""
    return tuple(trigger for trigger in settings.triggers if isinstance(trigger, ScheduleTrigger))


def schedule(settings: Settings, cron: str, timezone: str) -> ScheduleTrigger:
    """The schedule that somebody says has an instant. InvalidInput where it does not start the Function."""
    trigger = ScheduleTrigger(cron=cron, timezone=timezone)
    if trigger not in schedules(settings):
        raise InvalidInput(f'the schedule "{cron}" in {timezone} does not start this Function')
    return trigger


def _handlers_of(
    trigger: QueueTrigger | ScheduleTrigger | CreatedTrigger, handlers: Handlers
) -> tuple[tuple[Handler, ...], str]:
    """The handlers that a trigger starts, and the decorator that makes one."""
    match trigger:
        case QueueTrigger():
            return _one(handlers.find("message", trigger.resource)), f'@on_message("{trigger.resource}")'
        case CreatedTrigger():
            return _one(handlers.find("created", trigger.resource)), f'@on_created("{trigger.resource}")'
        case ScheduleTrigger():
            return handlers.scheduled(trigger.cron), f'@on_schedule or @on_schedule("{trigger.cron}")'


def _one(handler: Handler | None) -> tuple[Handler, ...]:
    return (handler,) if handler else ()
