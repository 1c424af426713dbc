"""One service account per workload, and one more for what starts it.

They are the Foundation's: whoever is called has to name its callers' accounts, and two workloads may call each other.
"""

from pulumi_gcp.serviceaccount import Account

from alien_iac.models.config import DeploymentConfig
from alien_iac.resources.context import Context
from alien_iac_gcp import naming
from alien_iac_gcp.place import Place, place
from alien_iac_gcp.shared import after, enabled

TRIGGERS = "triggers"
"""The part of the name of an account that may do nothing but start one Function."""
_OWN, _DISPLAY_LIMIT = "account", 100


def account(context: Context, workload: str, part: str = "") -> Account:
    """The account of a workload, or a part's."""
    config = context.deployment.config
    label = f"{workload}--{part or _OWN}"
    props = {
        "account_id": naming.name(config, "account", workload, part),
        "display_name": f"{workload} {part or _OWN} of {config.prefix}"[:_DISPLAY_LIMIT],
        "description": f"Starts {workload}, and may do nothing else" if part else f"What {workload} runs as",
    }
    return context.shared.shared(after(Account, enabled(context, "iam")), label, props)


def email(config: DeploymentConfig, where: Place, workload: str, part: str = "") -> str:
    """The planned address of an account."""
    return where.email(naming.name(config, "account", workload, part))


def member(context: Context, workload: str, part: str = "") -> str:
    """The planned name of an account in an IAM policy."""
    where = place(context.deployment.settings)
    return f"serviceAccount:{email(context.deployment.config, where, workload, part)}"
