"""What starts a Function on Lambda, besides the events that AWS shapes itself: an object under `KEY`, or an envelope.

| event | answer |
|---|---|
| `arc.Envelope` | `arc.Response` |
| `{"alien": Schedule}`: EventBridge Scheduler fills in the instant and an id | none |
| `{"alien": Call}`, by a linked workload | `Answer` |
| `{"alien": {"kind": "health"}}` | `invocation.Health` |
| `{"alien": {"kind": "drain"}}`: answer the commands that wait at the control plane | none |

Who may send one at all is the account's own affair: `lambda:InvokeFunction` on this one Function. What comes through a
Function URL or an API Gateway is always wrapped in AWS's own event, so nobody outside can make one of these.
"""

from typing import Any, Literal

from pydantic import AwareDatetime

from alien_iac.protocol.invocation import Invocation
from alien_iac.protocol.wire import Open

KEY = "alien"
DRAIN = "drain"
"""The kind that has it answer the commands that wait."""
RESULT_LIMIT = 4_500_000
"""Bytes of a result: Lambda answers with 6 MB at most, and a result travels in base64."""


class Schedule(Open):
    """An instant of a schedule."""

    kind: Literal["schedule"]
    cron: str
    timezone: str = "UTC"
    scheduled_time: AwareDatetime
    id: str = ""


class Call(Invocation):
    """A call of a linked workload."""

    kind: Literal["invoke"] = "invoke"
    traceparent: str | None = None
    tracestate: str | None = None


class Answer(Open):
    """How a call ended, in the words of HTTP: 200 and the result, or an error object with `code` and `message`."""

    status: int
    body: Any = None
