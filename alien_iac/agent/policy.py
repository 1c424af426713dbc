"""Which commands may be given to a workload: what the release declares, the customer allows, and a sender signed.

Asked at each command, so that a word of the customer counts from the next one on.
"""

import base64
import time
from collections.abc import Callable

from alien_iac.agent import say
from alien_iac.agent.place import Place
from alien_iac.agent.store import Store
from alien_iac.errors import Forbidden, InvalidInput, NotFound, Untrusted
from alien_iac.protocol import arc, signing


class Undeclared(NotFound):
    """The running release does not declare such a command."""

    code = "UNKNOWN_COMMAND"


class Policy:
    """`clock` gives this machine's seconds since 1970: the control plane's word for the time is not taken here."""

    def __init__(self, place: Place, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._place = place
        self._store = store
        self._clock = clock

    def check(self, envelope: arc.Envelope) -> None:
        """Raises Forbidden for a command that is not allowed, Undeclared for one that the release does not have."""
        mine, vendors = self._says()
        if not say.permits(mine, vendors, envelope.command):
            raise Forbidden(f"the customer does not allow the command {envelope.command}")
        self._check_declared(envelope)

    def check_signature(self, envelope: arc.Envelope) -> str:
        """The sender who signed the command, or "" where nobody has to. `params` must be inline.

        Raises Forbidden where a signature is missing, Untrusted where it does not hold or was used before.
        """
        mine, vendors = self._says()
        if not say.needs_signature(mine, vendors, envelope.command):
            return ""
        signature = envelope.signature
        if signature is None:
            raise Forbidden(f"the customer takes the command {envelope.command} only with a sender's signature")
        signed = signing.Signed(
            deployment_id=envelope.deployment_id, command=envelope.command, params=_bytes(envelope.params)
        )
        signing.check(signed, signature, mine.senders, self._clock())
        if signature.target not in {"", envelope.target.resource_id}:
            raise Untrusted(f"the command is signed for {signature.target}, not for {envelope.target.resource_id}")
        if not self._store.use_nonce(signature, envelope.command_id, self._clock()):
            raise Untrusted(f"the signature of {signature.signer} was used for another command already")
        return signature.signer

    def _says(self) -> tuple[say.Say, say.VendorSay]:
        current = self._store.current
        values = current.config.values if current and current.config else {}
        return say.read(self._place.say), say.vendor_say(values)

    def _check_declared(self, envelope: arc.Envelope) -> None:
        """A workload of which the release declares nothing is left alone: its handlers could not be read."""
        current, workload = self._store.current, envelope.target.resource_id
        declared = current.manifest.commands if current else ()
        names = {one.name for one in declared if one.resource == workload}
        if names and envelope.command not in names:
            listed = ", ".join(sorted(names))
            raise Undeclared(
                f"the release declares no command {envelope.command} of {workload}; these it does: {listed}"
            )


def _bytes(body: arc.Body) -> bytes:
    if not isinstance(body, arc.Inline):
        raise InvalidInput("the parameters of a signed command are not there to be checked")
    try:
        return base64.b64decode(body.inline_base64, validate=True)
    except ValueError as error:  # binascii's, or what is no ASCII at all
        raise InvalidInput("the parameters are not base64") from error
