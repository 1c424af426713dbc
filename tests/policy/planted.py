"""Resources that break a rule each, as somebody could add them beside the components, or by a transform."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alien_iac.policy.model import Resource

STACK = "urn:pulumi:acme::shop::pulumi:pulumi:Stack::shop-acme"
ROLE = "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/"
OPEN = {"cidrIpv4": "0.0.0.0/0", "fromPort": 22, "toPort": 22, "ipProtocol": "tcp"}
SSH = {
    "direction": "Inbound",
    "access": "Allow",
    "sourceAddressPrefix": "Internet",
    "destinationPortRange": "22",
    "name": "ssh",
}
PRIVATE_ACCOUNT = {"allowBlobPublicAccess": False, "allowSharedKeyAccess": False, "minimumTlsVersion": "TLS1_2"}
SAFE_BUS = {"disableLocalAuth": True, "minimumTlsVersion": "1.2"}
SAFE_QUEUE = {"name": "loose", "sqsManagedSseEnabled": True}


def policy(principal: Any = None, **statement: Any) -> str:
    who = {"Principal": principal} if principal else {}
    return json.dumps({"Statement": [{"Effect": "Allow", **who, **statement}]})


ALL = policy(Action="*", Resource="*")
ANYBODY = policy("*", Action="s3:GetObject", Resource="arn:aws:s3:::bad/*")
ANY_SENDER = policy({"AWS": "*"}, Action="sqs:SendMessage", Resource="arn:aws:sqs:::bad")


@dataclass(frozen=True)
class Planted:
    """The rule that is to name it, its type, and what is bad about it."""

    rule: str
    type: str
    inputs: Mapping[str, Any]

    @property
    def resource(self) -> Resource:
        return Resource(urn=self.urn, type=self.type, name="bad", parent=STACK, inputs=self.inputs)

    @property
    def urn(self) -> str:
        return f"urn:pulumi:acme::shop::{self.type}::bad"


PLANTED = (
    # Anybody reads.
    Planted("public-data", "aws:s3/bucket:Bucket", {"acl": "public-read"}),
    Planted("public-data", "aws:s3/bucketAcl:BucketAcl", {"acl": "authenticated-read"}),
    Planted("public-data", "aws:s3/bucketPolicy:BucketPolicy", {"policy": ANYBODY}),
    Planted("public-data", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", {"blockPublicAcls": True}),
    Planted("public-data", "aws:sqs/queuePolicy:QueuePolicy", {"policy": ANY_SENDER}),
    Planted("public-data", "gcp:storage/bucket:Bucket", {"uniformBucketLevelAccess": True}),
    Planted("public-data", "gcp:storage/bucket:Bucket", {"publicAccessPrevention": "enforced"}),
    Planted("public-data", "gcp:storage/bucketIAMMember:BucketIAMMember", {"member": "allUsers"}),
    Planted("public-data", "gcp:cloudrunv2/serviceIamMember:ServiceIamMember", {"member": "allAuthenticatedUsers"}),
    Planted("public-data", "azure-native:storage:StorageAccount", {**PRIVATE_ACCOUNT, "allowBlobPublicAccess": True}),
    Planted("public-data", "azure-native:storage:BlobContainer", {"publicAccess": "Container"}),
    # Anybody calls.
    Planted("public-address", "aws:apigatewayv2/route:Route", {"authorizationType": "NONE"}),
    Planted("public-address", "aws:ecs/service:Service", {"networkConfiguration": {"assignPublicIp": True}}),
    Planted("public-address", "aws:lambda/functionUrl:FunctionUrl", {"authorizationType": "NONE"}),
    Planted("public-address", "aws:lambda/permission:Permission", {"principal": "*"}),
    Planted("public-address", "aws:lb/loadBalancer:LoadBalancer", {}),
    Planted("public-address", "gcp:cloudrunv2/service:Service", {"invokerIamDisabled": True}),
    Planted(
        "public-address",
        "gcp:compute/instanceTemplate:InstanceTemplate",
        {"networkInterfaces": [{"accessConfigs": [{}]}]},
    ),
    Planted("public-address", "gcp:compute/instance:Instance", {"networkInterfaces": [{"accessConfigs": [{}]}]}),
    Planted("public-address", "azure-native:web:WebApp", {"httpsOnly": True, "siteConfig": {"minTlsVersion": "1.2"}}),
    Planted("public-address", "azure-native:app:ContainerApp", {"configuration": {"ingress": {"external": True}}}),
    # Open to the internet.
    Planted("open-ingress", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", OPEN),
    Planted(
        "open-ingress",
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        {"type": "ingress", "cidrBlocks": ["::/0", "0.0.0.0/0"], "protocol": "-1", "fromPort": 0, "toPort": 0},
    ),
    Planted(
        "open-ingress",
        "aws:ec2/securityGroup:SecurityGroup",
        {"ingress": [{"cidrBlocks": ["0.0.0.0/0"], "fromPort": 0, "toPort": 65535}]},
    ),
    Planted(
        "open-ingress",
        "gcp:compute/firewall:Firewall",
        {"sourceRanges": ["0.0.0.0/0"], "allows": [{"protocol": "all"}]},
    ),
    Planted("open-ingress", "azure-native:network:NetworkSecurityGroup", {"securityRules": [SSH]}),
    Planted("open-ingress", "azure-native:network:SecurityRule", SSH),
    # Too much.
    Planted("wildcard-policy", "aws:iam/rolePolicy:RolePolicy", {"policy": ALL}),
    Planted("wildcard-policy", "aws:iam/policy:Policy", {"policy": policy(Action="s3:*", Resource="arn:aws:s3:::a")}),
    Planted(
        "wildcard-policy", "aws:iam/userPolicy:UserPolicy", {"policy": policy(Action="s3:GetObject", Resource=["*"])}
    ),
    Planted("wildcard-policy", "aws:iam/groupPolicy:GroupPolicy", {"policy": policy(NotAction="iam:*", Resource="a")}),
    Planted(
        "broad-role",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
    ),
    Planted(
        "broad-role",
        "aws:iam/userPolicyAttachment:UserPolicyAttachment",
        {"policyArn": "arn:aws:iam::aws:policy/PowerUserAccess"},
    ),
    Planted("broad-role", "gcp:projects/iAMMember:IAMMember", {"role": "roles/editor", "member": "user:a@example.com"}),
    Planted("broad-role", "gcp:folder/iAMMember:IAMMember", {"role": "roles/owner"}),
    Planted("broad-role", "gcp:organizations/iAMMember:IAMMember", {"role": "roles/viewer"}),
    Planted(
        "broad-role",
        "azure-native:authorization:RoleAssignment",
        {"roleDefinitionId": f"{ROLE}8e3af657-a8ff-443c-a75c-2fe8c4bcb635"},
    ),
    Planted("broad-role", "azure-native:authorization:RoleDefinition", {"permissions": [{"actions": ["*"]}]}),
    Planted("authoritative-grant", "gcp:projects/iAMBinding:IAMBinding", {"role": "roles/run.invoker"}),
    Planted(
        "authoritative-grant", "aws:iam/role:Role", {"managedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}
    ),
    # Keys, plain data, old TLS.
    Planted(
        "shared-key",
        "azure-native:storage:StorageAccount",
        {"allowBlobPublicAccess": False, "minimumTlsVersion": "TLS1_2"},
    ),
    Planted("shared-key", "azure-native:servicebus:Namespace", {"minimumTlsVersion": "1.2"}),
    Planted("shared-key", "azure-native:eventhub:Namespace", {}),
    Planted("shared-key", "azure-native:cosmosdb:DatabaseAccount", {"disableLocalAuth": False}),
    Planted("shared-key", "azure-native:containerregistry:Registry", {"adminUserEnabled": True}),
    Planted("shared-key", "aws:iam/accessKey:AccessKey", {}),
    Planted("shared-key", "gcp:serviceaccount/key:Key", {}),
    Planted("shared-key", "gcp:storage/hmacKey:HmacKey", {}),
    Planted("unencrypted", "aws:sqs/queue:Queue", {"sqsManagedSseEnabled": False}),
    Planted(
        "unencrypted",
        "aws:dynamodb/table:Table",
        {"serverSideEncryption": {"enabled": False}, "pointInTimeRecovery": {"enabled": True}},
    ),
    Planted("unencrypted", "aws:efs/fileSystem:FileSystem", {}),
    Planted("unencrypted", "aws:ebs/volume:Volume", {"encrypted": False}),
    Planted("unencrypted", "aws:rds/instance:Instance", {}),
    Planted("unencrypted", "aws:rds/cluster:Cluster", {}),
    Planted("weak-tls", "azure-native:storage:StorageAccount", {**PRIVATE_ACCOUNT, "minimumTlsVersion": "TLS1_0"}),
    Planted("weak-tls", "azure-native:storage:StorageAccount", {**PRIVATE_ACCOUNT, "enableHttpsTrafficOnly": False}),
    Planted("weak-tls", "azure-native:servicebus:Namespace", {"disableLocalAuth": True, "minimumTlsVersion": "1.0"}),
    Planted(
        "weak-tls",
        "azure-native:web:WebApp",
        {"publicNetworkAccess": "Disabled", "siteConfig": {"minTlsVersion": "1.0"}},
    ),
    Planted("weak-tls", "azure-native:app:ContainerApp", {"configuration": {"ingress": {"allowInsecure": True}}}),
    Planted("weak-tls", "aws:lb/listener:Listener", {"protocol": "HTTP", "defaultActions": [{"type": "forward"}]}),
    Planted("weak-tls", "aws:lb/listener:Listener", {"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-2016-08"}),
    Planted("weak-tls", "gcp:compute/sSLPolicy:SSLPolicy", {"minTlsVersion": "TLS_1_0"}),
    # What is lost.
    Planted("no-backup", "aws:dynamodb/table:Table", {"name": "bad"}),
    Planted("no-backup", "gcp:firestore/database:Database", {}),
    Planted("no-backup", "azure-native:keyvault:Vault", {"properties": {"enablePurgeProtection": False}}),
    Planted("expiring-subscription", "gcp:pubsub/subscription:Subscription", {"topic": "jobs"}),
    Planted("endless-logs", "aws:cloudwatch/logGroup:LogGroup", {"name": "bad"}),
    Planted("endless-logs", "azure-native:operationalinsights:Workspace", {}),
    Planted(
        "lost-dead-letters",
        "gcp:pubsub/subscription:Subscription",
        {
            "topic": "jobs",
            "expirationPolicy": {"ttl": ""},
            "deadLetterPolicy": {"deadLetterTopic": "projects/p/topics/gone"},
        },
    ),
)
