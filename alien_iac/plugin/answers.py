"""The plugin's answers to the engine: outputs, differences and errors in Pulumi's form."""

import functools
import os
import sqlite3
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import grpc
from google.protobuf import any_pb2
from google.protobuf.struct_pb2 import Struct
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2
from pydantic import ValidationError

from alien_iac.errors import AlienError, InvalidInput
from alien_iac.plugin import values
from alien_iac.plugin.kind import Kind, Live, NotReady
from alien_iac.plugin.values import Properties

CODES: Mapping[int, grpc.StatusCode] = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ALREADY_EXISTS,
    503: grpc.StatusCode.UNAVAILABLE,
}
"""By an error's `http_status`. None is one that makes the engine doubt whether the resource exists."""

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class HalfMade(AlienError):
    """A resource that is there and does not work, in the form that the engine records."""

    def __init__(self, error: NotReady, given: Properties) -> None:
        super().__init__(error.message)
        self.details = provider_pb2.ErrorResourceInitFailed(
            id=error.live.id,
            properties=outputs(given, error.live),
            inputs=values.encode(given.plain, given.secret),
            reasons=[str(error)],
        )


@contextmanager
def half_made(given: Properties) -> Iterator[None]:
    """Around a create or an update: NotReady goes out with what there is, so that the engine records it."""
    try:
        yield
    except NotReady as error:
        raise HalfMade(error, given) from error


def errors(method: Callable[..., Answer]) -> Callable[..., Answer]:
    """A method of the service whose errors go out as their text. The engine sees no traceback."""

    @functools.wraps(method)
    def answered(self: object, request: Request, context: grpc.ServicerContext) -> Answer:
        try:
            return method(self, request, context)
        except HalfMade as error:
            status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=error.message)
            packed = any_pb2.Any()
            packed.Pack(error.details)
            status.details.append(packed)
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            context.abort(grpc.StatusCode.UNKNOWN, error.message)
            raise
        except Exception as error:
            known = _translated(error)
            context.abort(CODES.get(known.http_status, grpc.StatusCode.FAILED_PRECONDITION), str(known))
            raise

    return answered


def _translated(error: Exception) -> AlienError:
    if isinstance(error, AlienError):
        return error
    if isinstance(error, ValidationError):
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        return InvalidInput(f"inputs are wrong: {wrong}")
    if isinstance(error, OSError):
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        place = f": {error.filename!r}" if error.filename else ""
        return AlienError(f"{reason}{place}", hint="free the disk, or set the folder's rights, and try again")
    if isinstance(error, sqlite3.Error):
        return AlienError(f"SQLite: {error}", hint="another process may hold the file, or the disk may be full")
    return AlienError(
        f"a mistake in the alien plugin: {type(error).__name__} at {_raised_at(error)}", hint="please report it"
    )


def _raised_at(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"


def outputs(given: Properties, live: Live) -> Struct:
    """The inputs and what the kind added, those with a secret in them marked."""
    return values.encode({**given.plain, **live.outputs}, given.secret)


def refreshed(given: Properties, live: Live) -> Properties:
    """The inputs with what was found instead. What was not given and is as it is by default stays away."""
    found = dict(live.inputs or {})
    if given.plain:
        found = {key: value for key, value in found.items() if key in given.plain}
    return Properties({**given.plain, **found}, given.secret)


def foreseen(kind: Kind[Any], given: Properties, olds: Mapping[str, Any]) -> Struct:
    """The outputs that a preview shows: what will only be known afterwards is unknown."""
    later = {key: olds[key] if key in kind.stable and key in olds else values.UNKNOWN for key in kind.computed}
    return values.encode({**given.plain, **later}, given.secret)


def difference(
    changed: Sequence[str], *, replaced: frozenset[str], delete_first: bool, stable: frozenset[str] = frozenset()
) -> provider_pb2.DiffResponse:
    """What changed, and which of it makes a new resource."""
    kinds = provider_pb2.PropertyDiff
    detailed = {
        key: kinds(kind=kinds.UPDATE_REPLACE if key in replaced else kinds.UPDATE, inputDiff=True) for key in changed
    }
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=changed,
        replaces=[key for key in changed if key in replaced],
        stables=sorted(stable) if changed else [],
        deleteBeforeReplace=delete_first,
        detailedDiff=detailed,
        hasDetailedDiff=True,
    )
