"""Where a Function on Google Cloud takes what starts it: each is a POST with a token of an account in `CALLERS`.

| path | body |
|---|---|
| `queue_path(id)` | a Pub/Sub push: one message of that queue |
| `created_path(id)` | a Pub/Sub push: Cloud Storage's notice of an object in that storage |
| `SCHEDULES_PATH` | the `ScheduleTrigger` as JSON; the header `X-CloudScheduler-ScheduleTime` says when |
| `DRAIN_PATH` | nothing: the Function answers the commands that wait at the control plane |

Anything but 2xx has it delivered again.
"""

SCHEDULES_PATH = "/_alien/schedules"
DRAIN_PATH = "/_alien/drain"
SCHEDULE_TIME = "X-CloudScheduler-ScheduleTime"

CALLERS = "ALIEN_CALLERS"
"""JSON list of the service accounts that may POST to `/_alien/…`. Cloud Run itself checks that for a Function that is
not public; a public one has to check the token (issuer Google, audience `AUDIENCE`) before it does anything else."""
AUDIENCE = "ALIEN_AUDIENCE"
"""The audience that a token for this Function names: its own address, without a path."""
ASKED = "ALIEN_CALLERS_ASKED"
"""Set where Cloud Run asks every caller for its token before the Function is reached, and takes the token's signature
away. Where it is not set, the Function asks itself."""


def queue_path(queue: str) -> str:
    """Where a queue's messages are pushed."""
    return f"/_alien/queues/{queue}"


def created_path(storage: str) -> str:
    """Where notices of new objects are pushed."""
    return f"/_alien/storages/{storage}"
