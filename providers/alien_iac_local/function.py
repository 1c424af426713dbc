"""Function here is a supervised process of our runtime."""

from alien_iac.protocol.outputs import Health, Invoke, Workload
from alien_iac.resources.context import Built, Context
from alien_iac_local import workload
from alien_iac_local.native import Process

INVOKE = "/_alien/commands"


def build(context: Context) -> Built:
    """The process."""
    props = workload.arguments(context)
    runtime = ["python", "-m", "alien_iac.runtime.function", "{code}"]
    props["command"] = workload.command(context, runtime, props["env"], {})
    # It listens once its handlers are loaded; whether they are well is the vendor's own check, which the agent asks.
    props["health"] = {"kind": "tcp"}
    process = context.native("process", Process, props)

    def told(url: str) -> Workload:
        arguments = context.declared.workload
        return Workload(
            id=context.declared.id,
            type="worker",
            commands=bool(arguments and arguments.commands),
            public_url=url if arguments and arguments.public else None,
            health=Health(kind="heartbeat"),
            invoke=Invoke(kind="http", url=f"{url}{INVOKE}", token_file=props["token_file"]),
            token_file=props["token_file"],
        )

    return Built(
        outputs={"name": context.declared.id, "url": process.url},
        native={"process": process},
        workload=process.url.apply(told),
    )
