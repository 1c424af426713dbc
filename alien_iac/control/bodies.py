"""Parameters and results, inline or in files: what is small is kept in the database, what is large in a folder."""

import base64
from dataclasses import dataclass
from datetime import datetime

from alien_iac.control import refusals, signatures
from alien_iac.control.commands import Command
from alien_iac.control.sealed_files import SealedFolder
from alien_iac.control.signatures import Answering, Signer
from alien_iac.control.store.commands import Delivery, Params
from alien_iac.protocol import arc


def params_name(command_id: str) -> str:
    """The file of a command's parameters."""
    return f"{command_id}.params"


def response_name(command_id: str, lease_id: str) -> str:
    """The file of a result, one for each lease: attempts never write over each other."""
    return f"{command_id}.{lease_id}.response"


def may_be_put(name: str, command: Command) -> bool:
    """Whether a body is still to come: parameters before they are delivered, a result while its lease holds."""
    if name == params_name(command.id):
        return command.state == "PENDING_UPLOAD"
    leased = command.lease_id is not None and name == response_name(command.id, command.lease_id)
    return leased and command.state == "DISPATCHED"


def decode(body: arc.Inline) -> bytes:
    """The bytes of an inline body. CommandInvalid where it is not base64."""
    try:
        return base64.b64decode(body.inline_base64, validate=True)
    except ValueError as error:  # binascii's, or what is no ASCII at all
        raise refusals.CommandInvalid("inlineBase64 is not base64") from error


def inline(content: bytes) -> arc.Inline:
    """Bytes as an inline body."""
    return arc.Inline(inline_base64=base64.b64encode(content).decode())


def is_small(response: arc.Response) -> bool:
    """Whether a result can be kept as it came. CommandInvalid where it is not base64."""
    if isinstance(response, arc.Failure):
        return True
    return isinstance(response.response, arc.Inline) and len(decode(response.response)) <= arc.INLINE_LIMIT


@dataclass(frozen=True, kw_only=True)
class Bodies:
    """The bodies of commands as their senders and receivers get them. `base`: our address as this caller has it."""

    folder: SealedFolder
    signer: Signer
    base: str
    now: datetime

    async def keep_params(self, command_id: str, body: arc.Body) -> Params | None:
        """Keep parameters that came inline; None: they are still to be uploaded."""
        if not isinstance(body, arc.Inline):
            return None
        content = decode(body)
        if len(content) <= arc.INLINE_LIMIT:
            return Params(inline=content)
        return Params(size=await self.folder.put_bytes(params_name(command_id), content))

    async def keep_response(self, response: arc.Response, command: Command) -> arc.Response:
        """The result as it is stored: a large one as a file, whose URL is made anew for each reader."""
        if isinstance(response, arc.Failure) or command.lease_id is None:
            return response
        name = response_name(command.id, command.lease_id)
        if isinstance(response.response, arc.Inline):
            content = decode(response.response)
            if len(content) <= arc.INLINE_LIMIT:
                return response
            await self.folder.put_bytes(name, content)
        size = self.folder.size(name)
        if size is None:
            raise refusals.CommandInvalid("the result was not uploaded", hint="PUT it to storageUploadRequest first")
        return arc.Success(response=arc.Stored(size=size, storage_put_used=True))

    def upload(self, command_id: str) -> arc.StorageUpload:
        """Where a sender puts large parameters."""
        expires = self.now + signatures.UPLOAD_LIFE
        request = self.signer.body_request(self.base, params_name(command_id), "put", expires)
        return arc.StorageUpload(put_request=request, expires_at=expires)

    def status(self, command: Command) -> arc.CommandStatus:
        """A command as its sender sees it."""
        return arc.CommandStatus(
            command_id=command.id,
            state=command.state,
            attempt=command.attempt,
            target=command.target,
            response=self.shown(command),
        )

    def shown(self, command: Command) -> arc.Response | None:
        """The result, with a fresh URL where it is a file."""
        match command.response:
            case arc.Success(response=arc.Stored(size=size)) if command.lease_id:
                name = response_name(command.id, command.lease_id)
                return arc.Success(response=self._stored(name, size))
            case response:
                return response

    def params(self, command_id: str, params: Params) -> arc.Body:
        """Parameters as they are delivered."""
        if params.inline is not None:
            return inline(params.inline)
        return self._stored(params_name(command_id), params.size)

    def lease(self, delivery: Delivery) -> arc.Lease:
        """A delivery as its receiver gets it."""
        command = delivery.command
        if command.lease_id is None or command.lease_expires_at is None:
            raise ValueError(f"command {command.id} is not leased")
        answering = Answering(command.id, command.lease_id, command.attempt)
        name = response_name(command.id, command.lease_id)
        handling = arc.ResponseHandling(
            submit_response_url=self.signer.answer_url(answering, self.now),
            storage_upload_request=self.signer.body_request(self.base, name, "put", self.now + signatures.LIFE),
        )
        envelope = arc.Envelope(
            deployment_id=command.deployment_id,
            target=command.target,
            command_id=command.id,
            attempt=command.attempt,
            trace_context=arc.TraceContext(**delivery.trace) if delivery.trace else None,
            deadline=command.deadline,
            command=command.command,
            params=self.params(command.id, delivery.params),
            response_handling=handling,
            remaining_seconds=(command.deadline - self.now).total_seconds() if command.deadline else None,
            signature=delivery.signature,
        )
        return arc.Lease(
            lease_id=command.lease_id,
            lease_expires_at=command.lease_expires_at,
            command_id=command.id,
            attempt=command.attempt,
            envelope=envelope,
        )

    def _stored(self, name: str, size: int | None) -> arc.Stored:
        request = self.signer.body_request(self.base, name, "get", self.now + signatures.LIFE)
        return arc.Stored(size=size, storage_get_request=request)
