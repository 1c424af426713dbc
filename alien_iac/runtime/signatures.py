"""From an event's payload to a handler's arguments, by the handler's own signature; and its result to JSON.

What does not fit is answered with all problems at once, by `Rejected`, whose text names fields and never quotes values.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import pydantic
import pydantic_core

from alien_iac.errors import InvalidInput
from alien_iac.runtime.handlers import Handler
from alien_iac.runtime.work import Payload

INVALID_PARAMETERS = "INVALID_PARAMETERS"
INVALID_PAYLOAD = "INVALID_PAYLOAD"
RESULT_NOT_JSON = "RESULT_NOT_JSON"

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Rejected(Exception):
    """A payload does not fit the handler, or its result has no JSON form."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Call:
    """The arguments of one call of a handler."""

    args: tuple[object, ...] = ()
    kwargs: dict[str, object] = field(default_factory=dict)


Binder = Callable[[object], Call]


def binder(handler: Handler) -> Binder:
    """What turns the handler's payloads into calls. InvalidInput where its signature cannot take its event."""
    match handler.kind:
        case "command":
            return _command_binder(handler)
        case "message":
            return _message_binder(handler)
        case "created":
            _positional(handler, least=1)
            return lambda key: Call((key,))
        case "schedule":
            takes_instant = bool(_positional(handler, least=0))
            return lambda instant: Call((instant,)) if takes_instant else Call()
        case "health":
            _positional(handler, least=0, most=0)
            return lambda _: Call()


def parameters_schema(handler: Handler) -> dict[str, Any]:
    """The JSON schema of a command's parameters."""
    return _parameters_model(handler).model_json_schema()


def to_json(value: object, handler: Handler) -> bytes:
    """A command's result as JSON. NaN and the infinities become null, as in a browser."""
    try:
        return pydantic_core.to_json(value, inf_nan_mode="null")
    except (pydantic_core.PydanticSerializationError, UnicodeDecodeError, RecursionError) as error:
        text = f'the result of the command "{handler.name}" has no JSON form; it holds something like {type(value)}'
        raise Rejected(RESULT_NOT_JSON, text) from error


def _command_binder(handler: Handler) -> Binder:
    model = _parameters_model(handler)
    names = {field_name: info.alias or field_name for field_name, info in model.model_fields.items()}

    def bind(payload: object) -> Call:
        raw = payload if isinstance(payload, bytes) and payload.strip() not in (b"", b"null") else b"{}"
        try:
            given = model.model_validate_json(raw)
        except pydantic.ValidationError as error:
            raise Rejected(INVALID_PARAMETERS, f'the command "{handler.name}": {_problems(error)}') from error
        # Only what was given: the function's own defaults stay its own.
        named = {names[name]: getattr(given, name) for name in names if name in given.model_fields_set}
        return Call(kwargs=named | (given.model_extra or {}))

    return bind


def _parameters_model(handler: Handler) -> type[pydantic.BaseModel]:
    """A model with one field a parameter. The fields have names of their own, so that none shadows pydantic's."""
    parameters = inspect.signature(handler.function).parameters.values()
    hints = _hints(handler)
    fields: dict[str, Any] = {}
    extra: typing.Literal["forbid", "allow"] = "forbid"
    for number, parameter in enumerate(parameters):
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            extra = "allow"
        elif parameter.kind in _NAMED:
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            about = pydantic.Field(alias=parameter.name, title=parameter.name)
            fields[f"p{number}"] = (Annotated[hints.get(parameter.name, Any), about], default)
        else:
            raise InvalidInput(f'{handler.place}: a command has named parameters, and "{parameter}" has no name')
    try:
        return pydantic.create_model(
            handler.function.__name__, __config__=pydantic.ConfigDict(extra=extra, frozen=True), **fields
        )
    except (pydantic.PydanticUserError, pydantic.errors.PydanticSchemaGenerationError) as error:
        raise InvalidInput(f"{handler.place}: a parameter's type cannot be read from JSON: {error}") from error


def _message_binder(handler: Handler) -> Binder:
    name = _positional(handler, least=1)[0]
    wanted = _hints(handler).get(name, Any)
    if wanted is str:
        return lambda payload: Call((_text(payload),))
    if wanted is bytes:
        return lambda payload: Call((_payload(payload).text.encode(),))
    adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(wanted)

    def bind(payload: object) -> Call:
        message = _payload(payload)
        try:
            value = adapter.validate_json(message.text) if message.is_json else adapter.validate_python(message.text)
        except pydantic.ValidationError as error:
            text = f'a message of the queue "{handler.name}" is not what {handler.place} takes: {_problems(error)}'
            raise Rejected(INVALID_PAYLOAD, text) from error
        return Call((value,))

    return bind


def _payload(payload: object) -> Payload:
    if not isinstance(payload, Payload):
        raise TypeError(f"a message's payload is a Payload, not a {type(payload).__name__}")
    return payload


def _text(payload: object) -> str:
    """A text message as it is; a JSON string without its quotes; other JSON as its text."""
    message = _payload(payload)
    if not message.is_json:
        return message.text
    value = pydantic_core.from_json(message.text)
    return value if isinstance(value, str) else message.text


def _positional(handler: Handler, *, least: int, most: int = 1) -> list[str]:
    """The names of the parameters that are filled by position."""
    parameters = inspect.signature(handler.function).parameters.values()
    takes = [p for p in parameters if p.kind in (*_NAMED, inspect.Parameter.POSITIONAL_ONLY)]
    required = [p.name for p in takes if p.default is inspect.Parameter.empty]
    by_position = [p for p in takes if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    if len(required) > most or len(by_position) < least:
        wanted = "no parameter" if not most else "one parameter" if least else "no or one parameter"
        raise InvalidInput(f'{handler.place}: a handler of a {handler.kind} takes {wanted}, not "{required}"')
    return required[:most] or [p.name for p in by_position[:least]]


def _hints(handler: Handler) -> dict[str, Any]:
    try:
        return typing.get_type_hints(handler.function, include_extras=True)
    except (NameError, TypeError) as error:
        raise InvalidInput(f"{handler.place}: an annotation cannot be read: {error}") from error


def _problems(error: pydantic.ValidationError) -> str:
    """All problems in one line, without the values that were given."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the whole'}: {_message(e)}" for e in found)


def _message(problem: pydantic_core.ErrorDetails) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return "there is no such parameter"
        case "missing":
            return "is required"
        case "model_type" | "json_invalid":
            return "must be a JSON object with the parameters by name"
        case "value_error" | "assertion_error":
            return "was refused by its own check"  # whose text may quote the value
        case _:
            return problem["msg"]
