"""Who a token belongs to, remembered for a moment: a busy agent's token is not looked up at each request."""

from datetime import datetime, timedelta

from alien_iac.control import tokens
from alien_iac.control.store import tokens as store
from alien_iac.control.store.engine import Clock, Database
from alien_iac.control.tokens import Caller

REMEMBERED = timedelta(seconds=1)
"""For so long another process of the same control plane may take a token that was revoked here."""
_MOST = 50_000


class Admission:
    """Looks tokens up. `forget` after each revocation makes it count at once in this process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[str, tuple[Caller, datetime]] = {}
        self._used: dict[str, datetime] = {}

    async def caller(self, token: str) -> Caller | None:
        """Who has this token, if it is good now."""
        digest, now = tokens.digest(token), self._clock()
        caller, until = self._known.get(digest, (None, now))
        if caller is None or until <= now:
            caller = await self._database.read(lambda transaction: store.caller(transaction, digest))
            self._keep(digest, caller, now)
        if caller is not None:
            self._used[caller.token_id] = now
        return caller

    def _keep(self, digest: str, caller: Caller | None, now: datetime) -> None:
        if len(self._known) >= _MOST:
            self._known.clear()
        if caller is None:
            self._known.pop(digest, None)
        else:
            end = now + REMEMBERED
            self._known[digest] = (caller, min(end, caller.expires_at) if caller.expires_at else end)

    def forget(self) -> None:
        """Look every token up again."""
        self._known.clear()

    def take_used(self) -> dict[str, datetime]:
        """When tokens were last used, since this was last asked."""
        used, self._used = self._used, {}
        return used
