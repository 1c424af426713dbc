"""Secret here is an encrypted file beside the key of the deployment's secrets."""

from alien_iac.models.arguments import SecretArguments
from alien_iac.protocol.local import Layout
from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Built, Context
from alien_iac_local.native import SecretFile


def build(context: Context) -> Built:
    """The file; its value is set later, unless it is generated."""
    arguments = context.declared.arguments
    if not isinstance(arguments, SecretArguments):
        raise TypeError(context.declared.kind)
    layout = Layout(context.deployment.local_dir)
    path = str(layout.secret(context.declared.id))
    generate = arguments.provided_by == "generated"
    props = {"path": path, "key_file": str(layout.secret_key), "generate": generate}
    file = context.native("file", SecretFile, props, kept=True)
    return Built(
        outputs={"name": context.declared.id, "path": path},
        native={"file": file},
        needed=(file,),
        kept=(Kept(id=context.declared.id, type="secret", place=path),),
        secret=path,
    )
