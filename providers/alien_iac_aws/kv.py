"""Kv on AWS is a DynamoDB table, paid by the request."""

from pulumi_aws.dynamodb import (
    Table,
    TableAttributeArgs,
    TablePointInTimeRecoveryArgs,
    TableServerSideEncryptionArgs,
    TableTtlArgs,
)

from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Built, Context
from alien_iac_aws import naming

_RECOVERY_DAYS = 35
"""The longest that DynamoDB can go back; its price does not depend on it."""


def build(context: Context) -> Built:
    """The table. Outputs: `name`, `arn`."""
    config, resource = context.deployment.config, context.declared.id
    name, key = naming.name(config, "key_value_table", resource), config.encryption_key
    # Without a key of the customer's the table has DynamoDB's own, which costs nothing.
    encryption = TableServerSideEncryptionArgs(enabled=True, kms_key_arn=key) if key else None
    props = {
        "name": name,
        "billing_mode": "PAY_PER_REQUEST",
        "attributes": [TableAttributeArgs(name="pk", type="S"), TableAttributeArgs(name="sk", type="S")],
        "hash_key": "pk",
        "range_key": "sk",
        "ttl": TableTtlArgs(attribute_name="ttl", enabled=True),
        "point_in_time_recovery": TablePointInTimeRecoveryArgs(enabled=True, recovery_period_in_days=_RECOVERY_DAYS),
        "server_side_encryption": encryption,
        "deletion_protection_enabled": context.keeps,
        "tags": {"resource": resource},
    }
    table = context.native("table", Table, props, kept=True)
    return Built(
        outputs={"name": name, "arn": table.arn},
        native={"table": table},
        needed=(table,),
        kept=(Kept(id=resource, type="kv", place=name),),
    )
