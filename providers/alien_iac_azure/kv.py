"""Kv on Azure is a table in a storage account of its own. Tables expire nothing: the runtime hides what is too old."""

from pulumi_azure_native.storage import StorageAccount, Table

from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Built, Context
from alien_iac_azure import account, naming, network
from alien_iac_azure.shared import inside


def build(context: Context) -> Built:
    """The account and the table. Outputs: `name` (of the table), `account`, `id`."""
    config, resource = context.deployment.config, context.declared.id
    name, table_name = naming.name(config, "account", resource), naming.name(config, "table", resource)
    props, needed = account.props(context, name, admitted=network.of_users(context), resource=resource)
    store = context.waiting_for(needed).native("account", StorageAccount, props, kept=True)
    where = {"resource_group_name": inside(context)["resource_group_name"], "account_name": store.name}
    table = context.native("table", Table, {**where, "table_name": table_name}, suffix="table", kept=True)
    return Built(
        outputs={"name": table_name, "account": name, "id": table.id},
        native={"account": store, "table": table},
        needed=(store, table),
        kept=(Kept(id=resource, type="kv", place=f"{name}/{table_name}"),),
    )
