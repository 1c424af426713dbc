"""What starts a Function on Azure, as its adapter reads it from the environment, and the files that its host asks for.

A message comes from the queue of its binding, and a notice of a new object from the queue in `CREATED_QUEUES`; both are
in the namespace that the connection `BUS` names. A schedule is a timer, or a job, that wakes the Function at
`timer_name(n)` for the nth schedule among its triggers: at every instant of the crontab line, and at some more where
Azure cannot say the line or the time zone. The adapter starts the handlers at those that the line itself matches.
"""

import json
from collections.abc import Mapping

BUS = "ALIEN_SERVICEBUS"
"""The connection of Service Bus triggers: the prefix of the settings from which Azure's runtime takes it."""
CREATED_QUEUES = "ALIEN_CREATED_QUEUES"
"""JSON of a storage's id to the name of the queue with notices of its new objects."""
JOB = "ALIEN_JOB"
"""Set in a job only: the `ScheduleTrigger` as JSON whose handlers it runs, once, before it ends; or `DRAIN`."""
DRAIN = "drain"
"""The job that answers the commands that wait at the control plane."""
CALLED = "ALIEN_CALLED"
"""Set where somebody may call the Function by its private address, and Azure asks each caller for a token. Where it is
not set, nothing below `/_alien/` is answered."""
PRINCIPAL = "X-MS-CLIENT-PRINCIPAL-ID"
"""Header that Azure sets then, and takes from nobody, for a caller whose token it let in. Nothing below `/_alien/` is
answered without it: a public Function is reached by others too."""

NAMESPACE = f"{BUS}__fullyQualifiedNamespace"
"""The whole name of that namespace."""

HOST = {
    "version": "2.0",
    "extensions": {"http": {"routePrefix": ""}, "serviceBus": {"maxConcurrentCalls": 10}},
    "extensionBundle": {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.*, 5.0.0)"},
    "logging": {"logLevel": {"default": "Information"}},
}
"""The host's own settings; those that differ by Function come as variables (`AzureFunctionsJobHost__…`)."""
APP = '''"""What Azure's host looks for; the handlers are in main.py."""

from pathlib import Path

from alien_iac.runtime.azure.app import function_app

app = function_app(Path(__file__).parent)
'''
PACKAGE: Mapping[str, bytes] = {
    "function_app.py": APP.encode(),
    "host.json": f"{json.dumps(HOST, indent=2)}\n".encode(),
}
"""Files that a Function's package has beside the vendor's own."""


def timer_name(number: int) -> str:
    """The variable with a schedule's timer, as six fields in UTC. `number`: among the schedules, from 0."""
    return f"ALIEN_TIMER_{number}"
