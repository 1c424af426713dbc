"""Event Grid's notices of new objects, as a Service Bus queue brings them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, TypeAdapter, ValidationError

from alien_iac.errors import BindingInvalid, InvalidInput
from alien_iac.protocol import azure_functions
from alien_iac.protocol.bindings import BlobStorage
from alien_iac.protocol.wire import Open
from alien_iac.runtime import links
from alien_iac.runtime.events import Created
from alien_iac.runtime.problems import parsed, problems
from alien_iac.runtime.stores.parsing import parse

_QUEUES: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])


class Blob(Open):
    """What Event Grid says of a blob."""

    e_tag: str = ""
    sequencer: str = ""


class BlobCreated(Open):
    """A CloudEvent of Event Grid."""

    type: Literal["Microsoft.Storage.BlobCreated"]
    subject: str = Field(pattern=r"^/blobServices/default/containers/[^/]+/blobs/.")
    data: Blob = Blob()


def queues(environ: Mapping[str, str]) -> dict[str, str]:
    """The queue of each storage whose new objects start the Function. BindingInvalid."""
    try:
        return _QUEUES.validate_json(environ.get(azure_functions.CREATED_QUEUES) or "{}")
    except ValidationError as error:
        raise BindingInvalid(f"{azure_functions.CREATED_QUEUES}: {problems(error)}") from None


def created(storage: str, body: bytes, attempt: int) -> Created:
    """The event of a notice. InvalidInput for one of another kind, or of another container."""
    notice = parsed(BlobCreated, body)
    prefix = f"/blobServices/default/containers/{_container(storage)}/blobs/"
    if not notice.subject.startswith(prefix):
        raise InvalidInput(f'the notice is not of the storage "{storage}"')
    key = notice.subject.removeprefix(prefix)
    return Created(storage=storage, key=key, version=f"{notice.data.e_tag}.{notice.data.sequencer}", attempt=attempt)


def _container(storage: str) -> str:
    return parse(BlobStorage, links.binding(storage), storage).container_name
