"""What deploying each type of Google Cloud resource takes: a literal table, and the custom role that is made of it."""

from collections.abc import Iterable, Mapping
from typing import Any

_OPERATIONS = "compute.globalOperations.get compute.regionOperations.get compute.zoneOperations.get"
_USE_NETWORK = "compute.networks.use compute.subnetworks.use compute.subnetworks.useExternalIp"

PERMISSIONS: Mapping[str, str] = {
    "gcp:artifactregistry/repository:Repository": (
        "artifactregistry.repositories.create artifactregistry.repositories.delete artifactregistry.repositories.get "
        "artifactregistry.repositories.update"
    ),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": (
        "artifactregistry.repositories.getIamPolicy artifactregistry.repositories.setIamPolicy"
    ),
    "gcp:cloudrunv2/service:Service": (
        "run.services.create run.services.delete run.services.get run.services.update run.operations.get "
        f"iam.serviceAccounts.actAs {_USE_NETWORK}"
    ),
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": "run.services.getIamPolicy run.services.setIamPolicy",
    "gcp:cloudrunv2/workerPool:WorkerPool": (
        "run.workerpools.create run.workerpools.delete run.workerpools.get run.workerpools.update run.operations.get "
        f"iam.serviceAccounts.actAs {_USE_NETWORK}"
    ),
    "gcp:cloudscheduler/job:Job": (
        "cloudscheduler.jobs.create cloudscheduler.jobs.delete cloudscheduler.jobs.get cloudscheduler.jobs.update "
        "cloudscheduler.jobs.enable cloudscheduler.jobs.pause iam.serviceAccounts.actAs"
    ),
    "gcp:compute/address:Address": (
        "compute.addresses.create compute.addresses.createInternal compute.addresses.delete "
        "compute.addresses.deleteInternal compute.addresses.get compute.addresses.setLabels compute.addresses.use "
        f"compute.addresses.useInternal compute.subnetworks.use {_OPERATIONS}"
    ),
    "gcp:compute/backendService:BackendService": (
        "compute.backendServices.create compute.backendServices.delete compute.backendServices.get "
        "compute.backendServices.update compute.backendServices.use compute.healthChecks.useReadOnly "
        f"compute.regionNetworkEndpointGroups.use {_OPERATIONS}"
    ),
    "gcp:compute/disk:Disk": (
        "compute.disks.create compute.disks.delete compute.disks.get compute.disks.resize compute.disks.setLabels "
        f"compute.disks.update compute.disks.use {_OPERATIONS}"
    ),
    "gcp:compute/firewall:Firewall": (
        "compute.firewalls.create compute.firewalls.delete compute.firewalls.get compute.firewalls.update "
        f"compute.networks.updatePolicy {_OPERATIONS}"
    ),
    "gcp:compute/globalAddress:GlobalAddress": (
        "compute.globalAddresses.create compute.globalAddresses.delete compute.globalAddresses.get "
        f"compute.globalAddresses.setLabels compute.globalAddresses.use {_OPERATIONS}"
    ),
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": (
        "compute.globalForwardingRules.create compute.globalForwardingRules.delete compute.globalForwardingRules.get "
        "compute.globalForwardingRules.setLabels compute.globalForwardingRules.setTarget "
        f"compute.globalForwardingRules.update compute.targetHttpProxies.use "
        f"compute.targetHttpsProxies.use {_OPERATIONS}"
    ),
    "gcp:compute/healthCheck:HealthCheck": (
        "compute.healthChecks.create compute.healthChecks.delete compute.healthChecks.get compute.healthChecks.update "
        f"compute.healthChecks.use compute.healthChecks.useReadOnly {_OPERATIONS}"
    ),
    "gcp:compute/instanceGroupManager:InstanceGroupManager": (
        "compute.instanceGroupManagers.create compute.instanceGroupManagers.delete compute.instanceGroupManagers.get "
        "compute.instanceGroupManagers.update compute.instanceGroups.create compute.instanceGroups.delete "
        "compute.instanceGroups.get compute.instanceTemplates.useReadOnly compute.instances.create "
        "compute.instances.delete compute.instances.get compute.instances.setLabels compute.instances.setMetadata "
        "compute.instances.setServiceAccount compute.instances.setTags compute.healthChecks.useReadOnly "
        f"compute.images.useReadOnly iam.serviceAccounts.actAs {_USE_NETWORK} {_OPERATIONS}"
    ),
    "gcp:compute/instanceTemplate:InstanceTemplate": (
        "compute.instanceTemplates.create compute.instanceTemplates.delete compute.instanceTemplates.get "
        "compute.instanceTemplates.useReadOnly compute.images.get compute.images.useReadOnly compute.disks.useReadOnly "
        f"iam.serviceAccounts.actAs {_USE_NETWORK} {_OPERATIONS}"
    ),
    "gcp:compute/managedSslCertificate:ManagedSslCertificate": (
        f"compute.sslCertificates.create compute.sslCertificates.delete compute.sslCertificates.get {_OPERATIONS}"
    ),
    "gcp:compute/network:Network": (
        "compute.networks.create compute.networks.delete compute.networks.get compute.networks.update "
        f"compute.networks.updatePolicy compute.networks.use compute.routes.delete compute.routes.list {_OPERATIONS}"
    ),
    "gcp:compute/perInstanceConfig:PerInstanceConfig": (
        "compute.instanceGroupManagers.get compute.instanceGroupManagers.update compute.instances.get "
        f"compute.instances.update compute.disks.use compute.addresses.useInternal {_OPERATIONS}"
    ),
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup": (
        "compute.regionNetworkEndpointGroups.create compute.regionNetworkEndpointGroups.delete "
        f"compute.regionNetworkEndpointGroups.get compute.regionNetworkEndpointGroups.use "
        f"run.services.get {_OPERATIONS}"
    ),
    "gcp:compute/router:Router": (
        "compute.routers.create compute.routers.delete compute.routers.get compute.routers.update "
        f"compute.networks.updatePolicy {_OPERATIONS}"
    ),
    "gcp:compute/routerNat:RouterNat": f"compute.routers.get compute.routers.update {_OPERATIONS}",
    "gcp:compute/sSLPolicy:SSLPolicy": (
        "compute.sslPolicies.create compute.sslPolicies.delete compute.sslPolicies.get compute.sslPolicies.update "
        f"compute.sslPolicies.use {_OPERATIONS}"
    ),
    "gcp:compute/subnetwork:Subnetwork": (
        "compute.subnetworks.create compute.subnetworks.delete compute.subnetworks.get compute.subnetworks.update "
        "compute.subnetworks.setPrivateIpGoogleAccess compute.subnetworks.expandIpCidrRange "
        f"compute.networks.updatePolicy {_OPERATIONS}"
    ),
    "gcp:compute/targetHttpProxy:TargetHttpProxy": (
        "compute.targetHttpProxies.create compute.targetHttpProxies.delete compute.targetHttpProxies.get "
        f"compute.targetHttpProxies.setUrlMap compute.urlMaps.use {_OPERATIONS}"
    ),
    "gcp:compute/targetHttpsProxy:TargetHttpsProxy": (
        "compute.targetHttpsProxies.create compute.targetHttpsProxies.delete compute.targetHttpsProxies.get "
        "compute.targetHttpsProxies.setSslCertificates compute.targetHttpsProxies.setSslPolicy "
        "compute.targetHttpsProxies.setUrlMap compute.targetHttpsProxies.update compute.sslCertificates.get "
        f"compute.sslPolicies.use compute.urlMaps.use {_OPERATIONS}"
    ),
    "gcp:compute/uRLMap:URLMap": (
        "compute.urlMaps.create compute.urlMaps.delete compute.urlMaps.get compute.urlMaps.update compute.urlMaps.use "
        f"compute.backendServices.use {_OPERATIONS}"
    ),
    "gcp:dns/managedZone:ManagedZone": (
        "dns.managedZones.create dns.managedZones.delete dns.managedZones.get dns.managedZones.update "
        "dns.networks.bindPrivateDNSZone"
    ),
    "gcp:dns/recordSet:RecordSet": (
        "dns.changes.create dns.changes.get dns.resourceRecordSets.create dns.resourceRecordSets.delete "
        "dns.resourceRecordSets.get dns.resourceRecordSets.list dns.resourceRecordSets.update"
    ),
    "gcp:firestore/database:Database": (
        "datastore.databases.create datastore.databases.delete datastore.databases.getMetadata "
        "datastore.databases.update datastore.operations.get"
    ),
    "gcp:firestore/field:Field": "datastore.indexes.get datastore.indexes.update datastore.operations.get",
    "gcp:projects/iAMMember:IAMMember": (
        "resourcemanager.projects.get resourcemanager.projects.getIamPolicy resourcemanager.projects.setIamPolicy"
    ),
    "gcp:projects/service:Service": (
        "serviceusage.services.enable serviceusage.services.disable serviceusage.services.get "
        "serviceusage.services.list serviceusage.operations.get"
    ),
    "gcp:projects/serviceIdentity:ServiceIdentity": (
        "serviceusage.services.generateServiceIdentity serviceusage.operations.get"
    ),
    "gcp:pubsub/subscription:Subscription": (
        "pubsub.subscriptions.create pubsub.subscriptions.delete pubsub.subscriptions.get pubsub.subscriptions.update "
        "pubsub.topics.attachSubscription iam.serviceAccounts.actAs"
    ),
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": (
        "pubsub.subscriptions.getIamPolicy pubsub.subscriptions.setIamPolicy"
    ),
    "gcp:pubsub/topic:Topic": "pubsub.topics.create pubsub.topics.delete pubsub.topics.get pubsub.topics.update",
    "gcp:pubsub/topicIAMMember:TopicIAMMember": "pubsub.topics.getIamPolicy pubsub.topics.setIamPolicy",
    "gcp:secretmanager/secret:Secret": (
        "secretmanager.secrets.create secretmanager.secrets.delete secretmanager.secrets.get "
        "secretmanager.secrets.update"
    ),
    "gcp:secretmanager/secretIamMember:SecretIamMember": (
        "secretmanager.secrets.getIamPolicy secretmanager.secrets.setIamPolicy"
    ),
    "gcp:secretmanager/secretVersion:SecretVersion": (
        "secretmanager.versions.add secretmanager.versions.access secretmanager.versions.destroy "
        "secretmanager.versions.disable secretmanager.versions.enable secretmanager.versions.get"
    ),
    "gcp:serviceaccount/account:Account": (
        "iam.serviceAccounts.create iam.serviceAccounts.delete iam.serviceAccounts.get iam.serviceAccounts.update"
    ),
    "gcp:serviceaccount/iAMMember:IAMMember": "iam.serviceAccounts.getIamPolicy iam.serviceAccounts.setIamPolicy",
    "gcp:storage/bucket:Bucket": (
        "storage.buckets.create storage.buckets.delete storage.buckets.get storage.buckets.update storage.objects.list"
    ),
    "gcp:storage/bucketIAMMember:BucketIAMMember": "storage.buckets.getIamPolicy storage.buckets.setIamPolicy",
    "gcp:storage/bucketObject:BucketObject": (
        "storage.objects.create storage.objects.delete storage.objects.get storage.objects.update"
    ),
    "gcp:storage/notification:Notification": "storage.buckets.get storage.buckets.update",
    "random:index/randomPassword:RandomPassword": "",
    "alien:index:Artifact": "storage.objects.create storage.objects.delete storage.objects.get",
    "alien:index:Image": (
        "artifactregistry.repositories.downloadArtifacts artifactregistry.repositories.uploadArtifacts "
        "artifactregistry.repositories.deleteArtifacts artifactregistry.tags.create artifactregistry.tags.delete "
        "artifactregistry.tags.get artifactregistry.tags.update artifactregistry.versions.delete"
    ),
}
"""By type: the permissions, as words."""
ALWAYS = "resourcemanager.projects.get"


def role(types: Iterable[str], known: Mapping[str, str]) -> dict[str, Any]:
    """The custom role for these types, as `gcloud iam roles create --file` takes it. `known`: prefix."""
    needed = {permission for kind in types for permission in PERMISSIONS.get(kind, "").split()}
    return {
        "title": f"alien-iac deployer of {known['prefix']}",
        "description": "What deploying this takes. A custom role names no resources: grant it in one project",
        "stage": "GA",
        "includedPermissions": sorted(needed | {ALWAYS}),
    }
