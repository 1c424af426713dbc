"""No key is shared, nothing lies in the clear, and nothing travels by old TLS."""

from collections.abc import Iterator, Mapping

from alien_iac.policy.model import Check, Resource, Rule, Stack, items, section

_TLS_AZURE = frozenset({"1.2", "1.3", "TLS1_2", "TLS1_3", "Tls12"})
_TLS_AWS = ("ELBSecurityPolicy-TLS13-", "ELBSecurityPolicy-TLS-1-2-")
_CREDENTIALS = (
    "aws:iam/accessKey:AccessKey",
    "gcp:serviceaccount/key:Key",
    "gcp:storage/hmacKey:HmacKey",
)


def _must_be(key: str, *, wanted: bool) -> Check:
    def check(resource: Resource, _: Stack) -> Iterator[str]:
        if resource.inputs.get(key) is not wanted:
            yield f"{key} is not {str(wanted).lower()}"

    return check


def _admin(resource: Resource, _: Stack) -> Iterator[str]:
    if resource.inputs.get("adminUserEnabled") is True or resource.inputs.get("anonymousPullEnabled") is True:
        yield "it can be entered without an identity"


def _key(_: Resource, __: Stack) -> Iterator[str]:
    yield "it is a key that does not end; let the workload have an identity"


def _queue(resource: Resource, _: Stack) -> Iterator[str]:
    if not resource.inputs.get("kmsMasterKeyId") and resource.inputs.get("sqsManagedSseEnabled") is not True:
        yield "it has neither sqsManagedSseEnabled nor a key"


def _table(resource: Resource, _: Stack) -> Iterator[str]:
    if section(resource.inputs, "serverSideEncryption").get("enabled") is False:
        yield "serverSideEncryption is switched off"


def _account_tls(resource: Resource, stack: Stack) -> Iterator[str]:
    yield from _minimum_tls(resource, stack)
    nfs = resource.inputs.get("kind") == "FileStorage"  # NFS has no https; its account is closed to all but one network
    if resource.inputs.get("enableHttpsTrafficOnly") is False and not nfs:
        yield "enableHttpsTrafficOnly is false"


def _minimum_tls(resource: Resource, _: Stack) -> Iterator[str]:
    least = resource.inputs.get("minimumTlsVersion")
    if least not in _TLS_AZURE:
        yield f"minimumTlsVersion is {least or 'not set'}, not 1.2"


def _site_tls(resource: Resource, _: Stack) -> Iterator[str]:
    if resource.inputs.get("httpsOnly") is not True:
        yield "httpsOnly is not true"
    least = section(resource.inputs, "siteConfig").get("minTlsVersion")
    if least not in _TLS_AZURE:
        yield f"minTlsVersion is {least or 'not set'}, not 1.2"


def _app_tls(resource: Resource, _: Stack) -> Iterator[str]:
    if section(resource.inputs, "configuration", "ingress").get("allowInsecure") is True:
        yield "allowInsecure is true"


def _listener(resource: Resource, _: Stack) -> Iterator[str]:
    given = resource.inputs
    actions = [each.get("type") for each in items(given.get("defaultActions")) if isinstance(each, Mapping)]
    if given.get("protocol") == "HTTP" and actions != ["redirect"]:
        yield "it answers over plain http"
    policy = str(given.get("sslPolicy", ""))
    if given.get("protocol") in {"HTTPS", "TLS"} and not policy.startswith(_TLS_AWS):
        yield f"its sslPolicy is {policy or 'not set'}, which is not of TLS 1.2 or above"


def _ssl_policy(resource: Resource, _: Stack) -> Iterator[str]:
    least = resource.inputs.get("minTlsVersion")
    if least not in {"TLS_1_2", "TLS_1_3"}:
        yield f"minTlsVersion is {least or 'not set'}, not TLS_1_2"


RULES = (
    Rule(
        name="shared-key",
        says="Whoever comes has an identity: no keys of accounts, no connection strings.",
        checks={
            "azure-native:containerregistry:Registry": _admin,
            "azure-native:cosmosdb:DatabaseAccount": _must_be("disableLocalAuth", wanted=True),
            "azure-native:eventhub:Namespace": _must_be("disableLocalAuth", wanted=True),
            "azure-native:servicebus:Namespace": _must_be("disableLocalAuth", wanted=True),
            "azure-native:storage:StorageAccount": _must_be("allowSharedKeyAccess", wanted=False),
            **dict.fromkeys(_CREDENTIALS, _key),
        },
    ),
    Rule(
        name="unencrypted",
        says="Data is encrypted where it lies.",
        checks={
            "aws:dynamodb/table:Table": _table,
            "aws:ebs/volume:Volume": _must_be("encrypted", wanted=True),
            "aws:efs/fileSystem:FileSystem": _must_be("encrypted", wanted=True),
            "aws:rds/cluster:Cluster": _must_be("storageEncrypted", wanted=True),
            "aws:rds/instance:Instance": _must_be("storageEncrypted", wanted=True),
            "aws:sqs/queue:Queue": _queue,
        },
    ),
    Rule(
        name="weak-tls",
        says="Data travels by TLS 1.2 or above.",
        checks={
            "aws:lb/listener:Listener": _listener,
            "azure-native:app:ContainerApp": _app_tls,
            "azure-native:servicebus:Namespace": _minimum_tls,
            "azure-native:storage:StorageAccount": _account_tls,
            "azure-native:web:WebApp": _site_tls,
            "gcp:compute/sSLPolicy:SSLPolicy": _ssl_policy,
        },
    ),
)
