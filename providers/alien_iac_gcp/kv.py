"""Kv on Google Cloud is a Firestore database of its own, since access to Firestore ends at the database."""

from typing import Any

from pulumi_gcp.firestore import Database, DatabaseCmekConfigArgs, Field, FieldIndexConfigArgs, FieldTtlConfigArgs

from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Built, Context
from alien_iac_gcp import naming
from alien_iac_gcp.encryption import keyed
from alien_iac_gcp.place import place
from alien_iac_gcp.shared import with_apis

EXPIRES, VALUE = "expires_at", "value"


def build(context: Context) -> Built:
    """The database, the field by which items expire, and values that nobody searches for. Outputs: `name`, `id`."""
    context, key = keyed(with_apis(context, "firestore"), "firestore")
    name = naming.name(context.deployment.config, "database", context.declared.id)
    database = context.native("database", Database, _props(context, name, key), kept=True)
    expires = {**_field(context, database, EXPIRES), "ttl_config": FieldTtlConfigArgs()}
    ttl = context.native("ttl", Field, expires, suffix="ttl", kept=True)
    # Firestore changes the fields of a database one after the other, and refuses two changes at once.
    values = context.waiting_for([ttl]).native(
        "values", Field, _field(context, database, VALUE), suffix="values", kept=True
    )
    return Built(
        outputs={"name": name, "id": database.id},
        native={"database": database, "ttl": ttl, "values": values},
        needed=(database, ttl),
        kept=(Kept(id=context.declared.id, type="kv", place=name),),
    )


def _props(context: Context, name: str, key: str | None) -> dict[str, Any]:
    retain = context.keeps
    return {
        "name": name,
        "location_id": place(context.deployment.settings).region,
        "type": "FIRESTORE_NATIVE",
        "database_edition": "STANDARD",
        "concurrency_mode": "OPTIMISTIC",
        "app_engine_integration_mode": "DISABLED",
        "point_in_time_recovery_enablement": "POINT_IN_TIME_RECOVERY_ENABLED",
        "delete_protection_state": "DELETE_PROTECTION_ENABLED" if retain else "DELETE_PROTECTION_DISABLED",
        # The provider's own default is to forget a database that is to be deleted, and to leave it behind.
        "deletion_policy": "DELETE",
        "cmek_config": DatabaseCmekConfigArgs(kms_key_name=key) if key else None,
    }


def _field(context: Context, database: Database, field: str) -> dict[str, Any]:
    """A field without indexes: neither times nor values are searched for, and each index is paid at every write."""
    return {
        "database": database.name,
        "collection": context.declared.id,
        "field": field,
        "index_config": FieldIndexConfigArgs(indexes=[]),
    }
