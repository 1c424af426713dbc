"""A deployment by what a person calls it. It stands alone so that verbs which only ask load nothing that signs."""

from alien_iac import errors
from alien_iac.cli import remote
from alien_iac.protocol.api import Deployment


def find(control: remote.Remote, named: str) -> Deployment:
    """The deployment with this id, or the one of this customer. Raises NotFound, or Conflict where it is not clear."""
    if named.startswith("dep_"):
        return control.get(Deployment, f"/deployments/{named}")
    found = [one for one in control.pages(Deployment, "/deployments") if one.customer == named]
    if not found:
        raise errors.NotFound(f'no deployment of a customer "{named}"', hint="`alien deployments ls` lists them")
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        raise errors.Conflict(f'"{named}" has {len(found)} deployments', hint=f"name one by its id: {ids}")
    return found[0]
