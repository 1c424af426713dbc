"""Commands from a vendor's own program: to a workload inside a customer's account, and back comes a result.

It needs the base dependencies only, so that a backend can `pip install alien-iac`. `Commands` blocks, `AsyncCommands`
does not; both do the same.

    from alien_iac.client import Commands

    with Commands("https://control.example", token) as commands:
        text = commands.invoke("dep_…", "read-file", {"path": "contract.txt"}, timeout=30)
"""

from alien_iac.client.asynchronous import AsyncCommands
from alien_iac.client.failures import CommandCancelled, CommandExhausted, CommandExpired
from alien_iac.client.flows import Options
from alien_iac.client.synchronous import Commands
from alien_iac.protocol.signing import Signer

__all__ = [
    "AsyncCommands",
    "CommandCancelled",
    "CommandExhausted",
    "CommandExpired",
    "Commands",
    "Options",
    "Signer",
]
