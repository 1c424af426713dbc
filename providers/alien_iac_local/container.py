"""Container here is a supervised process of the vendor's own program, or of an image where Docker is."""

from collections.abc import Mapping

from alien_iac.models.arguments import ContainerArguments
from alien_iac.protocol.environment import volume_name
from alien_iac.protocol.local import Layout
from alien_iac.protocol.outputs import Health, Kept, Workload
from alien_iac.resources.context import Built, Context
from alien_iac_local import workload
from alien_iac_local.native import Directory, Process

VOLUME = "ALIEN_VOLUME_"


def build(context: Context) -> Built:
    """The process and the folders of its volumes."""
    arguments = context.declared.arguments
    if not isinstance(arguments, ContainerArguments):
        raise TypeError(context.declared.kind)
    folders = _folders(context, arguments)
    volumes = [_volume(context, mount, folder) for mount, folder in folders.items()]
    props = workload.arguments(context)
    in_image = {folder: mount for mount, folder in folders.items()}
    places = folders if context.artifact else {mount: mount for mount in folders}
    props["env"] |= {volume_name(mount): place for mount, place in places.items()}
    source = list(arguments.command or ("python", "main.py"))
    props["command"] = workload.command(context, source, props["env"], in_image)
    props |= {"volumes": folders, "single": arguments.single_writer, "health": _probe(arguments)}
    process = context.waiting_for(volumes).native("process", Process, props)
    url = process.url if arguments.port else None
    return Built(
        outputs={"name": context.declared.id, "url": url},
        native={"process": process, "volumes": volumes},
        workload=process.url.apply(lambda place: _told(context, arguments, place, props["token_file"])),
        kept=tuple(Kept(id=context.declared.id, type="volume", place=folder) for folder in folders.values()),
    )


def _folders(context: Context, arguments: ContainerArguments) -> dict[str, str]:
    """Mount path to the folder that stands for it."""
    layout = Layout(context.deployment.local_dir)
    return {
        volume.mount_path: str(layout.volume(context.declared.id, _name(volume.mount_path)))
        for volume in arguments.volumes
    }


def _name(mount_path: str) -> str:
    return volume_name(mount_path).removeprefix(VOLUME).lower().replace("_", "-")


def _volume(context: Context, mount: str, folder: str) -> Directory:
    return context.native("volumes", Directory, {"path": folder}, suffix=_name(mount), kept=True)


def _probe(arguments: ContainerArguments) -> Mapping[str, str]:
    if arguments.port is None:
        return {"kind": "none"}
    return {"kind": "http", "path": arguments.health_path} if arguments.health_path else {"kind": "tcp"}


def _told(context: Context, arguments: ContainerArguments, url: str, token_file: str) -> Workload:
    health = Health(kind="process")
    if arguments.port is not None:
        path = arguments.health_path
        health = Health(kind="http", url=f"{url}{path}") if path else Health(kind="tcp", url=url)
    return Workload(
        id=context.declared.id,
        type="container",
        commands=arguments.commands,
        public_url=url if arguments.public else None,
        health=health,
        token_file=token_file,
    )
