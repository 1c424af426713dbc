"""Queue here is a SQLite file, served by one broker for all queues of the deployment."""

from alien_iac.models.arguments import FunctionArguments, QueueArguments
from alien_iac.models.units import parse_seconds
from alien_iac.protocol.local import BROKER, Layout
from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Built, Context
from alien_iac_local.native import Process, QueueFile

VISIBILITY_SECONDS = 30
"""How long a received message stays hidden from others where no Function says how long it needs."""
GRACE_SECONDS = 10
"""What a consumer has over its timeout to acknowledge a message."""


def build(context: Context) -> Built:
    """The file, its token, and the broker."""
    arguments, name = context.declared.arguments, context.declared.id
    if not isinstance(arguments, QueueArguments):
        raise TypeError(context.declared.kind)
    layout = Layout(context.deployment.local_dir)
    props = {
        "file": str(layout.queue(name)),
        "name": name,
        "visibility_seconds": visibility_seconds(context),
        "max_receives": arguments.max_receives,
        "retention_seconds": parse_seconds(arguments.retention),
        "token_file": str(layout.queue_token(name)),
    }
    file = context.native("file", QueueFile, props, kept=True)
    return Built(
        outputs={"name": name, "path": props["file"]},
        native={"file": file},
        needed=(file, _broker(context, layout)),
        kept=(Kept(id=name, type="queue", place=str(layout.queue(name))),),
    )


def visibility_seconds(context: Context) -> int:
    """Longer than the slowest Function that consumes the queue may take, so that no message is worked on twice."""
    consumers = (c.arguments for c in context.consumers)
    timeouts = [parse_seconds(a.timeout) + GRACE_SECONDS for a in consumers if isinstance(a, FunctionArguments)]
    return max([VISIBILITY_SECONDS, *timeouts])


def _broker(context: Context, layout: Layout) -> Process:
    props = {
        "name": BROKER,
        "command": ["python", "-m", "alien_iac.runtime.broker", str(layout.queue(BROKER).parent)],
        "env": {},
        "needs_port": True,
        "health": {"kind": "tcp"},
        "stop_seconds": 10,
    }
    return context.shared.shared(Process, BROKER, props)
