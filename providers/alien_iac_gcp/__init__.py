"""The platform `gcp`: Cloud Run, Compute Engine, Cloud Storage, Firestore, Pub/Sub and Secret Manager.

Literal tables, read without importing an SDK; the builders are loaded by name.
"""

MAPPING = {
    "Checks": "alien_iac_gcp.checks:check",
    "Container": "alien_iac_gcp.container:build",
    "Function": "alien_iac_gcp.function:build",
    "Kv": "alien_iac_gcp.kv:build",
    "Offline": "alien_iac_gcp.offline:outputs",
    "Provider": "alien_iac_gcp.provider:make",
    "Queue": "alien_iac_gcp.queue:build",
    "Secret": "alien_iac_gcp.secret:build",
    "Storage": "alien_iac_gcp.storage:build",
}

UNSUPPORTED: dict[str, str] = {}
"""What depends on more than one argument is in `checks`."""

_X86 = "Cloud Run and the machines here are x86_64, and a source is packaged for that"

IGNORED = {
    "Container.architecture=arm64": _X86,
    "Function.architecture=arm64": _X86,
}

_MESSAGES = ("topic", "dead-topic", "dead-publisher", "subscription", "dead-mover", "dead-subscription")
_FRONT = (
    "address",
    "backend",
    "certificate",
    "endpoint-group",
    "http-proxy",
    "http-rule",
    "https-proxy",
    "https-rule",
    "redirect",
    "routes",
    "tls-policy",
)

ROLES = {
    "Container": (
        "service",
        "worker-pool",
        "image",
        "grants",
        "volumes",
        "template",
        "group",
        "instance",
        "internal-address",
        "health",
        "record",
        "firewall",
        *_FRONT,
    ),
    "Function": (
        "service",
        "image",
        "grants",
        "invokers",
        "schedules",
        "notices",
        "notices-publisher",
        *_MESSAGES,
        *_FRONT,
    ),
    "Kv": ("database", "ttl", "values"),
    "Queue": _MESSAGES,
    "Secret": ("secret", "value", "version"),
    "Storage": ("bucket", "public"),
}

RESERVED: tuple[str, ...] = ()
IMAGE_NEEDS_DOCKER = False

TYPES = (
    "alien:index:Image",
    "gcp:artifactregistry/repository:Repository",
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
    "gcp:cloudrunv2/service:Service",
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember",
    "gcp:cloudrunv2/workerPool:WorkerPool",
    "gcp:cloudscheduler/job:Job",
    "gcp:compute/address:Address",
    "gcp:compute/backendService:BackendService",
    "gcp:compute/disk:Disk",
    "gcp:compute/firewall:Firewall",
    "gcp:compute/globalAddress:GlobalAddress",
    "gcp:compute/globalForwardingRule:GlobalForwardingRule",
    "gcp:compute/healthCheck:HealthCheck",
    "gcp:compute/instanceGroupManager:InstanceGroupManager",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/managedSslCertificate:ManagedSslCertificate",
    "gcp:compute/network:Network",
    "gcp:compute/perInstanceConfig:PerInstanceConfig",
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup",
    "gcp:compute/router:Router",
    "gcp:compute/routerNat:RouterNat",
    "gcp:compute/sSLPolicy:SSLPolicy",
    "gcp:compute/subnetwork:Subnetwork",
    "gcp:compute/targetHttpProxy:TargetHttpProxy",
    "gcp:compute/targetHttpsProxy:TargetHttpsProxy",
    "gcp:compute/uRLMap:URLMap",
    "gcp:dns/managedZone:ManagedZone",
    "gcp:dns/recordSet:RecordSet",
    "gcp:firestore/database:Database",
    "gcp:firestore/field:Field",
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
    "gcp:projects/iAMMember:IAMMember",
    "gcp:projects/service:Service",
    "gcp:projects/serviceIdentity:ServiceIdentity",
    "gcp:pubsub/subscription:Subscription",
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember",
    "gcp:pubsub/topic:Topic",
    "gcp:pubsub/topicIAMMember:TopicIAMMember",
    "gcp:secretmanager/secret:Secret",
    "gcp:secretmanager/secretIamMember:SecretIamMember",
    "gcp:secretmanager/secretVersion:SecretVersion",
    "gcp:serviceaccount/account:Account",
    "gcp:serviceaccount/iAMMember:IAMMember",
    "gcp:storage/bucket:Bucket",
    "gcp:storage/bucketIAMMember:BucketIAMMember",
    "gcp:storage/notification:Notification",
    "random:index/randomPassword:RandomPassword",
)
"""Type tokens of everything that is made here. Public, so that a renamed one needs an alias."""
