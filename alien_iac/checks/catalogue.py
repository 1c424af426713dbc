"""Every finding that a check can make: a literal table, from which the documentation is written."""

from collections.abc import Mapping
from dataclasses import dataclass

from alien_iac.models.finding import Finding, Severity
from alien_iac.policy.rules import RULES


@dataclass(frozen=True)
class Entry:
    """How grave a finding is, and what it means."""

    severity: Severity
    meaning: str


CATALOGUE: Mapping[str, Entry] = {
    "ARGUMENT_CONFLICT": Entry("error", "Two arguments of a component exclude each other."),
    "ARGUMENT_INVALID": Entry("error", "An argument has a wrong type, or a value that is not allowed."),
    "ARGUMENT_MISSING": Entry("error", "A component lacks an argument that it needs here."),
    "ARGUMENT_UNKNOWN": Entry("error", "A component has no argument of this name."),
    "ARTIFACT_LARGE": Entry("info", "A packaged source is large, and takes another way to the cloud."),
    "ARTIFACT_TOO_LARGE": Entry("error", "A packaged source is larger than the cloud takes."),
    "AWS_EGRESS": Entry("info", "Workloads of a network reach the internet over https only."),
    "AWS_EXTERNAL_ID": Entry("warning", "A role of another account is assumed without an ExternalId."),
    "AWS_GATEWAY": Entry("info", "A public workload stands behind API Gateway, which has limits of its own."),
    "AWS_HEALTH": Entry("info", "Nothing asks a Container made from an image for its health."),
    "AWS_IMAGE": Entry("error", "An image that is to be copied is not named by its digest."),
    "AWS_KEY_POLICY": Entry("info", "The customer's key has to let services of AWS use it."),
    "AWS_LIMIT": Entry("error", "A service of AWS does not go as far as a component asks it to."),
    "AWS_NAME": Entry("error", "AWS reserves names such as this one."),
    "AWS_NETWORK": Entry("error", "A workload cannot be in the networks that it needs to be in."),
    "AWS_NETWORK_ZONES": Entry("warning", "A workload joins a network in one zone only."),
    "AWS_ROUNDED": Entry("info", "A value was rounded up to one that AWS has."),
    "AWS_SCHEDULE": Entry("error", "A schedule cannot be said to EventBridge."),
    "AWS_SCHEDULE_TWICE": Entry("info", "A schedule starts its Function twice on days that match both of its fields."),
    "AZURE_CONTAINER_APP": Entry("info", "A Function runs as a Container App, which scales to zero too."),
    "AZURE_DOMAIN": Entry("info", "A public name needs records in the customer's DNS."),
    "AZURE_FLOW_LOGS": Entry("info", "A network has no flow logs."),
    "AZURE_HTTP_WAIT": Entry("info", "A Function may take longer than whoever calls it waits."),
    "AZURE_IMAGE": Entry("error", "An image cannot be copied into the customer's registry by what it is called."),
    "AZURE_KEY": Entry("warning", "A service of Azure does not use the customer's key."),
    "AZURE_LIMIT": Entry("error", "A service of Azure does not go as far as a component asks it to."),
    "AZURE_LOCK": Entry("info", "A message's lock has to be renewed while a Function works on it."),
    "AZURE_NETWORK": Entry("error", "A workload calls another one that is not in its network."),
    "AZURE_OVERLAP": Entry("warning", "Two copies of a Container have its volume for a while when it is replaced."),
    "AZURE_ROUNDED": Entry("info", "A value was rounded up to one that Azure has."),
    "COMMANDS_TOKEN": Entry("info", "A workload asks for its commands with a token that has to be given to it."),
    "COMMANDS_UNREACHED": Entry("warning", "Nobody brings a workload its commands."),
    "CONFIG_INVALID": Entry("error", "A key of the deployment's config has a wrong value."),
    "CONFIG_MISSING": Entry("error", "The deployment's config lacks a key."),
    "CONFIG_UNKNOWN": Entry("error", "There is no `alien:` key of this name."),
    "ENV_INVALID": Entry("error", "The name of an environment variable is not one."),
    "ENV_RESERVED": Entry("error", "The environment variable is one that alien-iac sets itself."),
    "GCP_IMAGE": Entry("error", "An image is not named by its digest, so it cannot be brought to the customer."),
    "GCP_KEY": Entry("info", "What the customer's key encrypts is settled when it is made."),
    "GCP_LABEL": Entry("info", "A label is not one on Google Cloud."),
    "GCP_LIMIT": Entry("error", "A service of Google Cloud does not go as far as a component asks it to."),
    "GCP_NAME": Entry("error", "Google keeps names such as this one for itself."),
    "GCP_NETWORK": Entry("error", "A workload cannot reach what it is linked to."),
    "GCP_PRIVATE_ACCESS": Entry("info", "The customer's subnetwork needs Private Google Access."),
    "GCP_RECEIVES": Entry("info", "Pub/Sub counts the deliveries of a message approximately."),
    "GCP_ROUNDED": Entry("info", "A value was rounded up to one that Google Cloud has."),
    "GCP_SCHEDULE": Entry("error", "A schedule cannot be said to Cloud Scheduler."),
    "GCP_SCHEDULE_TWICE": Entry("info", "A schedule starts its Function twice on days that match both of its fields."),
    "GCP_SHARED_NETWORK": Entry("info", "A network of another project has to be opened to this one."),
    "HEALTH_INVALID": Entry("error", "A health path is not one, or stands where nothing answers http."),
    "ID_DUPLICATE": Entry("error", "Two components have the same id."),
    "ID_INVALID": Entry("error", "An id breaks the rule for ids."),
    "ID_RESERVED": Entry("error", "The platform uses this id itself."),
    "ID_TOO_LONG": Entry("error", "An id is longer than the names that are made of it may be."),
    "IGNORED": Entry("info", "The platform has no use for this argument."),
    "IMAGE_LOOPBACK": Entry("error", "An image on this machine cannot reach what it is linked to."),
    "IMAGE_NEEDS_DOCKER": Entry("error", "An image runs here only where a Docker daemon answers."),
    "IMAGE_NO_DOCKERFILE": Entry("error", "The folder that an image is built from has no `Dockerfile`."),
    "LATE": Entry("warning", "A component was made after the stack was planned."),
    "LINK_DATA": Entry("error", "A component that runs no code is linked to something."),
    "LINK_INVALID": Entry("error", "What stands in `link` is neither a component nor a verb of one."),
    "LINK_NO_PORT": Entry("error", "A link calls a Container that listens on no port."),
    "LINK_SELF": Entry("error", "A workload is linked to itself."),
    "LINK_TWICE": Entry("error", "A workload is linked to the same resource more than once."),
    "LINK_UNKNOWN": Entry("error", "A link leads to a component that is not in this stack, or is of another kind."),
    "OUTPUT_RESERVED": Entry("error", "The stack program exports the output that alien-iac exports itself."),
    "PACKAGING_FAILED": Entry("error", "A source folder could not be packaged."),
    "PLATFORM_MISSING": Entry("error", "The platform's package is not installed."),
    "QUEUE_CONSUMERS": Entry("error", "A queue would be both pushed to a Function and pulled, or pushed to two."),
    "RANGE_INVALID": Entry("error", "A value is outside of what every platform can do."),
    **{
        rule.code: Entry("warning", f"A resource breaks a rule: {rule.says}")
        for rule in sorted(RULES, key=lambda rule: rule.code)
    },
    "SCHEDULE_INVALID": Entry("error", "A crontab line or a time zone is not one, or names no instant at all."),
    "SOURCE_MISSING": Entry("error", "There is no folder at a workload's `source` or `image`."),
    "SOURCE_NO_MAIN": Entry("error", "A workload's source folder has no `main.py`."),
    "TRANSFORM_UNKNOWN": Entry("error", "A transform names a role that the component does not have on this platform."),
    "TRIGGER_DUPLICATE": Entry("error", "A Function has the same trigger twice."),
    "TRIGGER_NOT_LINKED": Entry("warning", "A Function hears of new objects that it may not read."),
    "TRIGGER_UNKNOWN": Entry(
        "error", "A trigger watches a component that is not in this stack, or is of another kind."
    ),
    "UNIT_INVALID": Entry("error", "A size or a duration is not written as one."),
    "UNSUPPORTED": Entry("error", "The platform cannot do this."),
    "VOLUME_INVALID": Entry("error", "A volume's mount path is not one, or meets another volume's."),
    "VOLUME_SCALE": Entry("error", "A Container with a volume of its own would run in more than one replica."),
}
"""By code. Codes are stable: they may be read by programs."""


def finding(code: str, resource: str, message: str, hint: str = "") -> Finding:
    """A finding of the catalogue. KeyError for a code that it does not have."""
    return Finding(code=code, severity=CATALOGUE[code].severity, resource=resource, message=message, hint=hint)
