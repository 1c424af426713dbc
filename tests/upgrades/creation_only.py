"""What is settled when a resource is made: a change of it replaces the resource. Services' own documentation says so.

Types that are made anew with every release (task definitions, machine templates, permissions) are not here.
"""

from collections.abc import Iterable, Mapping
from typing import Any

_IDENTITY = """
    accessPointId accountId accountName apiId availabilityZone bucket cidrBlock containerAppName containerName
    creationToken databaseId environmentName eventSubscriptionName family fileSystemId flowLogName groupName
    instanceGroupManager jobName location locationId managedZone name namePrefix namespaceName networkSecurityGroupName
    policyName principalId privateZoneName project queueName queueUrl region registryName relativeRecordSetName
    repositoryId resourceGroupName resourceName roleAssignmentName scope secretId shareName storageName subnetId
    systemTopicName tableName topicName vaultName virtualNetworkLinkName virtualNetworkName vpcId workspaceName zone
"""
IDENTITY = frozenset(_IDENTITY.split())
"""Properties that make a resource the one that it is, on whatever type."""
MORE: Mapping[str, str] = {
    "aws:apigatewayv2/api:Api": "protocolType",
    "aws:apigatewayv2/vpcLink:VpcLink": "securityGroupIds subnetIds",
    "aws:dynamodb/table:Table": "hashKey rangeKey",
    "aws:ec2/securityGroup:SecurityGroup": "description",
    "aws:ec2/natGateway:NatGateway": "allocationId connectivityType",
    "aws:ecr/repository:Repository": "encryptionConfigurations",
    "aws:ecs/service:Service": "cluster launchType schedulingStrategy",
    "aws:efs/accessPoint:AccessPoint": "posixUser rootDirectory",
    "aws:efs/fileSystem:FileSystem": "encrypted kmsKeyId performanceMode",
    "aws:iam/role:Role": "path",
    "aws:lambda/eventSourceMapping:EventSourceMapping": "eventSourceArn",
    "aws:lambda/function:Function": "packageType",
    "aws:lb/loadBalancer:LoadBalancer": "internal loadBalancerType",
    "aws:lb/targetGroup:TargetGroup": "port protocol targetType",
    "aws:s3/bucket:Bucket": "objectLockEnabled",
    "aws:sqs/queue:Queue": "fifoQueue",
    "azure-native:app:ManagedEnvironment": "vnetConfiguration zoneRedundant",
    "azure-native:authorization:RoleAssignment": "roleDefinitionId",
    "azure-native:servicebus:Namespace": "zoneRedundant",
    "azure-native:servicebus:Queue": "enablePartitioning requiresDuplicateDetection requiresSession",
    "azure-native:storage:FileShare": "enabledProtocols",
    "azure-native:storage:StorageAccount": "isHnsEnabled isNfsV3Enabled kind",
    "gcp:cloudscheduler/job:Job": "timeZone",
    "gcp:compute/disk:Disk": "diskEncryptionKey type",
    "gcp:compute/network:Network": "autoCreateSubnetworks description",
    "gcp:compute/subnetwork:Subnetwork": "ipCidrRange network",
    "gcp:dns/managedZone:ManagedZone": "dnsName visibility",
    "gcp:firestore/database:Database": "cmekConfig databaseEdition type",
    "gcp:firestore/field:Field": "collection database field",
    "gcp:pubsub/subscription:Subscription": "enableMessageOrdering filter topic",
    "gcp:pubsub/topic:Topic": "kmsKeyName",
    "gcp:secretmanager/secret:Secret": "replication",
    "gcp:storage/notification:Notification": "eventTypes payloadFormat topic",
}
"""By type: the others."""


def replacing(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
    """The properties whose change replaces the resource."""
    settled = IDENTITY | set(MORE.get(kind, "").split())
    return sorted(key for key in settled if old.get(key) != new.get(key))
