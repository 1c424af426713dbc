"""The customer takes the deployment down, by their own hand: no vendor and no control plane is asked."""

from pathlib import Path

from alien_iac.agent import shelf, trust
from alien_iac.agent.hold import held
from alien_iac.agent.place import Place, read_identity
from alien_iac.agent.run import machine_of
from alien_iac.agent.store import Store
from alien_iac.agent.updates import PulumiUpdates
from alien_iac.protocol.outputs import Kept


def take_down(folder: Path) -> tuple[Kept, ...]:
    """Destroy what the agent of a folder deployed, and return the data that stays. The agent must not be running.

    Raises NotFound where the folder is no agent's, Conflict where its agent runs, UpdateFailed as an update does.
    """
    place = Place(folder.resolve())
    identity = read_identity(place)
    with held(place):
        store = Store(place.state)
        try:
            release = store.current or (store.work.wanted if store.work else None)
            if release is None:
                return ()
            updates = PulumiUpdates(place, identity, machine_of(place, identity).plugin)
            laid = shelf.lay_out(place, release, identity.platform, lambda blob: trust.cached(place, blob))
            updates.unlock(laid)
            kept = updates.destroy(laid)
            store.forget_release()
            return kept
        finally:
            store.close()
