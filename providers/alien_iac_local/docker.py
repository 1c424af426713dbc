"""An image as a process of this machine: `docker run` in the foreground, so that the supervisor sees it end.

Environment variables are passed on by name, never by value: a command line is readable for everybody. A Function runs
our runtime, listens on PORT and needs loopback, so it shares the host's network. A Container listens on its own port,
which is published on loopback as the port that the ledger gave it.
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi

from alien_iac.models.arguments import ContainerArguments
from alien_iac.models.declared import Declared
from alien_iac.protocol.local import Layout
from alien_iac.resources.context import Context

SCRIPT = """\
docker rm --force {name} >/dev/null 2>&1
trap 'docker stop {name} >/dev/null' TERM INT
docker run --rm --name {name} {options} "$@" &
wait $!
status=$?
wait
exit $status"""


def command(context: Context, variables: Sequence[str], mounts: Mapping[str, str]) -> list[pulumi.Input[str]]:
    """The command line of an image's process. `mounts`: folder of this machine to its path in the image."""
    arguments = context.declared.arguments
    name = f"{context.deployment.config.prefix}-{context.declared.id}"
    script = SCRIPT.format(name=shlex.quote(name), options=" ".join(_options(context, variables, mounts)))
    own = list(arguments.command or ()) if isinstance(arguments, ContainerArguments) else []
    image: Any = context.recorded.given["image"]
    return ["/bin/sh", "-c", script, name, image, *own]


def _options(context: Context, variables: Sequence[str], mounts: Mapping[str, str]) -> list[str]:
    arguments = context.declared.arguments
    passed = [f"--env {variable}" for variable in (*variables, "PORT")]
    places = {**{place: place for place in _places(context)}, **mounts}
    volumes = [f"--volume {shlex.quote(f'{folder}:{path}')}" for folder, path in places.items()]
    if not isinstance(arguments, ContainerArguments):
        return ["--network host", *passed, *volumes]
    published = [f'--publish "127.0.0.1:$PORT:{arguments.port}"'] if arguments.port else []
    return [*published, *passed, *volumes]


def _places(context: Context) -> list[str]:
    """The folders that its bindings and its own variables name: those, and nothing else of the deployment."""
    layout = Layout(context.deployment.local_dir)
    linked = (_place(target, layout) for target in context.linked)
    return sorted({str(place) for place in (layout.workload(context.declared.id), *linked) if place is not None})


def _place(target: Declared, layout: Layout) -> Path | None:
    # A secret's file appears when its value is set, and Docker would make a folder in its place: hence the folder.
    match target.kind:
        case "Storage":
            return layout.storage(target.id)
        case "Kv":
            return layout.kv(target.id)
        case "Secret":
            return layout.secret_key.parent
        case "Function":
            return layout.token(target.id)
        case _:
            return None
