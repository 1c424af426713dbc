"""Kv here is a SQLite file."""

from alien_iac.protocol.local import Layout
from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Built, Context
from alien_iac_local.native import KvFile


def build(context: Context) -> Built:
    """The file, in a folder of its own."""
    folder = str(Layout(context.deployment.local_dir).kv(context.declared.id))
    file = context.native("file", KvFile, {"data_dir": folder}, kept=True)
    return Built(
        outputs={"name": context.declared.id, "path": folder},
        native={"file": file},
        needed=(file,),
        kept=(Kept(id=context.declared.id, type="kv", place=folder),),
    )
