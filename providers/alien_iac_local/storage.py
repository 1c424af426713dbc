"""Storage here is a directory."""

from alien_iac.protocol.local import Layout
from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Built, Context
from alien_iac_local.native import Directory


def build(context: Context) -> Built:
    """The directory."""
    path = str(Layout(context.deployment.local_dir).storage(context.declared.id))
    directory = context.native("directory", Directory, {"path": path}, kept=True)
    return Built(
        outputs={"name": context.declared.id, "path": path},
        native={"directory": directory},
        needed=(directory,),
        kept=(Kept(id=context.declared.id, type="storage", place=path),),
    )
