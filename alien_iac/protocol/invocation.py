"""How a Function is called over HTTP inside a deployment, by the agent and by workloads that are linked to it.

| method and path | body -> answer |
|---|---|
| POST `COMMANDS_PATH` | `arc.Envelope` -> 200 `arc.Response` |
| POST `INVOKE_PATH` | `Invocation` -> 200 and the result as JSON |
| GET `HEALTH_PATH` | -> 200 or 503 `Health` |

The first two show the Function's token as a bearer. Anything but 200 has an error object with `code` and `message`.
"""

from typing import Any

from alien_iac.protocol.api import HealthWord
from alien_iac.protocol.wire import Open

PRIVATE = "/_alien/"
"""What lies below is never the vendor's own app's, and is not for the public."""
COMMANDS_PATH = "/_alien/commands"
INVOKE_PATH = "/_alien/invoke"
HEALTH_PATH = "/_alien/health"


class Invocation(Open):
    """One call of a command's handler by a linked workload. The same `id` again, while it runs, is the same call."""

    command: str
    parameters: dict[str, Any] = {}
    id: str = ""


class Health(Open):
    """How a workload is, and which release it belongs to."""

    health: HealthWord
    release: str
    message: str = ""
