"""Large parameters and results of commands, by signed URLs: whoever has one needs no token."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import FileResponse, StreamingResponse

from alien_iac.control import refusals
from alien_iac.control.blobs import Folder
from alien_iac.control.bodies import may_be_put
from alien_iac.control.collaborators import Control, Parts
from alien_iac.control.routes.base import Routes
from alien_iac.control.signatures import BODIES, Operation
from alien_iac.control.store import commands as store
from alien_iac.errors import NotFound

router = Routes(tags=["commands"])

Expires = Annotated[int, Query(ge=0, lt=1 << 40)]
Signature = Annotated[str, Query(max_length=64)]


@router.put(f"{BODIES}{{name}}", status_code=204)
async def put_body(name: str, request: Request, control: Parts, expires: Expires, signature: Signature) -> None:
    """Take a large body."""
    body = _checked(control, name, "put", expires, signature)
    command = await control.database.read(lambda transaction: store.get(transaction, body.partition(".")[0]))
    if not may_be_put(body, command):
        raise refusals.WrongState(f"command {command.id} is {command.state}; it takes no such body any more")
    await control.bodies.put(body, request.stream())


@router.get(f"{BODIES}{{name}}")
async def get_body(name: str, control: Parts, expires: Expires, signature: Signature) -> StreamingResponse:
    """Give a large body."""
    body = _checked(control, name, "get", expires, signature)
    size = control.bodies.size(body)
    if size is None:
        raise NotFound(f'there is no file "{body}"')
    headers = {"content-length": str(size)}
    return StreamingResponse(control.bodies.chunks(body), media_type="application/octet-stream", headers=headers)


def file_response(folder: Folder, name: str) -> FileResponse:
    """A stored file. NotFound where there is none."""
    if folder.size(name) is None:
        raise NotFound(f'there is no file "{name}"')
    return FileResponse(folder.path(name), media_type="application/octet-stream")


def _checked(control: Control, name: str, operation: Operation, expires: int, signature: str) -> str:
    """The name of the body, whose URL lets this be done. Unauthorized otherwise."""
    body = f"cmd_{name}"
    control.signer.check_body(body, operation, signature, expires, control.clock())
    return body
