"""What deploying each type of AWS resource takes: literal tables, and the IAM policy that is made of them.

The actions are those that the provider calls to create, read, change, tag and delete a resource. Where the names
of a service begin with the deployment's prefix, the policy ends there; networks have no names before they are made.
"""

from collections.abc import Iterable, Mapping
from typing import Any

_TAGS_EC2 = "ec2:CreateTags ec2:DeleteTags ec2:DescribeTags"
_API = "apigateway:GET apigateway:POST apigateway:PUT apigateway:PATCH apigateway:DELETE"
_GROUP_RULES = (
    "ec2:DescribeSecurityGroups ec2:DescribeSecurityGroupRules ec2:ModifySecurityGroupRules "
    "ec2:UpdateSecurityGroupRuleDescriptionsIngress ec2:UpdateSecurityGroupRuleDescriptionsEgress "
)
_ROUTES = "ec2:CreateRoute ec2:ReplaceRoute ec2:DeleteRoute ec2:DescribeRouteTables"
_QUEUE = "sqs:GetQueueAttributes sqs:SetQueueAttributes"

ACTIONS: Mapping[str, str] = {
    "aws:acm/certificate:Certificate": (
        "acm:RequestCertificate acm:DescribeCertificate acm:GetCertificate acm:UpdateCertificateOptions "
        "acm:DeleteCertificate acm:ListTagsForCertificate acm:AddTagsToCertificate acm:RemoveTagsFromCertificate"
    ),
    "aws:acm/certificateValidation:CertificateValidation": "acm:DescribeCertificate",
    "aws:apigatewayv2/api:Api": _API,
    "aws:apigatewayv2/apiMapping:ApiMapping": _API,
    "aws:apigatewayv2/domainName:DomainName": f"{_API} acm:DescribeCertificate",
    "aws:apigatewayv2/integration:Integration": _API,
    "aws:apigatewayv2/route:Route": _API,
    "aws:apigatewayv2/stage:Stage": f"{_API} logs:CreateLogDelivery logs:GetLogDelivery logs:UpdateLogDelivery "
    "logs:DeleteLogDelivery logs:ListLogDeliveries logs:DescribeResourcePolicies logs:PutResourcePolicy",
    "aws:apigatewayv2/vpcLink:VpcLink": f"{_API} ec2:DescribeSubnets ec2:DescribeSecurityGroups "
    "iam:CreateServiceLinkedRole",
    "aws:appautoscaling/policy:Policy": (
        "application-autoscaling:PutScalingPolicy application-autoscaling:DescribeScalingPolicies "
        "application-autoscaling:DeleteScalingPolicy cloudwatch:PutMetricAlarm cloudwatch:DescribeAlarms "
        "cloudwatch:DeleteAlarms"
    ),
    "aws:appautoscaling/target:Target": (
        "application-autoscaling:RegisterScalableTarget application-autoscaling:DescribeScalableTargets "
        "application-autoscaling:DeregisterScalableTarget application-autoscaling:ListTagsForResource "
        "application-autoscaling:TagResource application-autoscaling:UntagResource iam:CreateServiceLinkedRole"
    ),
    "aws:cloudformation/stack:Stack": (
        "cloudformation:CreateStack cloudformation:DescribeStacks cloudformation:DescribeStackEvents "
        "cloudformation:DescribeStackResources cloudformation:GetTemplate cloudformation:GetStackPolicy "
        "cloudformation:UpdateStack cloudformation:DeleteStack cloudformation:TagResource cloudformation:UntagResource "
        "secretsmanager:CreateSecret secretsmanager:DescribeSecret secretsmanager:GetRandomPassword "
        "secretsmanager:UpdateSecret secretsmanager:DeleteSecret secretsmanager:TagResource "
        "secretsmanager:UntagResource"
    ),
    "aws:cloudwatch/eventRule:EventRule": (
        "events:PutRule events:DescribeRule events:EnableRule events:DisableRule events:DeleteRule "
        "events:ListTagsForResource events:TagResource events:UntagResource"
    ),
    "aws:cloudwatch/eventTarget:EventTarget": "events:PutTargets events:ListTargetsByRule events:RemoveTargets",
    "aws:cloudwatch/logGroup:LogGroup": (
        "logs:CreateLogGroup logs:DescribeLogGroups logs:PutRetentionPolicy logs:DeleteRetentionPolicy "
        "logs:AssociateKmsKey logs:DisassociateKmsKey logs:DeleteLogGroup logs:ListTagsForResource logs:TagResource "
        "logs:UntagResource"
    ),
    "aws:dynamodb/table:Table": (
        "dynamodb:CreateTable dynamodb:DescribeTable dynamodb:UpdateTable dynamodb:DeleteTable "
        "dynamodb:DescribeTimeToLive dynamodb:UpdateTimeToLive dynamodb:DescribeContinuousBackups "
        "dynamodb:UpdateContinuousBackups dynamodb:ListTagsOfResource dynamodb:TagResource dynamodb:UntagResource"
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": (
        f"{_GROUP_RULES} ec2:RevokeSecurityGroupIngress ec2:RevokeSecurityGroupEgress {_TAGS_EC2}"
    ),
    "aws:ec2/eip:Eip": f"ec2:AllocateAddress ec2:DescribeAddresses ec2:DescribeAddressesAttribute ec2:ReleaseAddress "
    f"{_TAGS_EC2}",
    "aws:ec2/flowLog:FlowLog": f"ec2:CreateFlowLogs ec2:DescribeFlowLogs ec2:DeleteFlowLogs {_TAGS_EC2}",
    "aws:ec2/internetGateway:InternetGateway": (
        "ec2:CreateInternetGateway ec2:DescribeInternetGateways ec2:AttachInternetGateway ec2:DetachInternetGateway "
        f"ec2:DeleteInternetGateway {_TAGS_EC2}"
    ),
    "aws:ec2/natGateway:NatGateway": (
        f"ec2:CreateNatGateway ec2:DescribeNatGateways ec2:DeleteNatGateway ec2:DescribeAddresses {_TAGS_EC2}"
    ),
    "aws:ec2/route:Route": _ROUTES,
    "aws:ec2/routeTable:RouteTable": f"ec2:CreateRouteTable ec2:DeleteRouteTable {_ROUTES} {_TAGS_EC2}",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": (
        "ec2:AssociateRouteTable ec2:ReplaceRouteTableAssociation ec2:DisassociateRouteTable ec2:DescribeRouteTables"
    ),
    "aws:ec2/securityGroup:SecurityGroup": (
        "ec2:CreateSecurityGroup ec2:DeleteSecurityGroup ec2:DescribeNetworkInterfaces "
        "ec2:RevokeSecurityGroupIngress ec2:RevokeSecurityGroupEgress "
        f"{_GROUP_RULES} {_TAGS_EC2}"
    ),
    "aws:ec2/subnet:Subnet": (
        "ec2:CreateSubnet ec2:DescribeSubnets ec2:ModifySubnetAttribute ec2:DeleteSubnet "
        f"ec2:DescribeAvailabilityZones ec2:DescribeNetworkInterfaces {_TAGS_EC2}"
    ),
    "aws:ec2/vpc:Vpc": (
        "ec2:CreateVpc ec2:DescribeVpcs ec2:DescribeVpcAttribute ec2:ModifyVpcAttribute ec2:DeleteVpc "
        f"ec2:DescribeNetworkAcls ec2:DescribeRouteTables ec2:DescribeSecurityGroups {_TAGS_EC2}"
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": (
        "ec2:CreateVpcEndpoint ec2:DescribeVpcEndpoints ec2:ModifyVpcEndpoint ec2:DeleteVpcEndpoints "
        f"ec2:DescribePrefixLists ec2:DescribeVpcEndpointServices ec2:DescribeNetworkInterfaces {_TAGS_EC2}"
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": (
        "ecr:PutLifecyclePolicy ecr:GetLifecyclePolicy ecr:DeleteLifecyclePolicy"
    ),
    "aws:ecr/repository:Repository": (
        "ecr:CreateRepository ecr:DescribeRepositories ecr:PutImageScanningConfiguration ecr:PutImageTagMutability "
        "ecr:DeleteRepository ecr:ListTagsForResource ecr:TagResource ecr:UntagResource"
    ),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": (
        "ecr:SetRepositoryPolicy ecr:GetRepositoryPolicy ecr:DeleteRepositoryPolicy"
    ),
    "aws:ecs/cluster:Cluster": (
        "ecs:CreateCluster ecs:DescribeClusters ecs:UpdateCluster ecs:DeleteCluster ecs:ListTagsForResource "
        "ecs:TagResource ecs:UntagResource iam:CreateServiceLinkedRole"
    ),
    "aws:ecs/service:Service": (
        "ecs:CreateService ecs:DescribeServices ecs:UpdateService ecs:DeleteService ecs:DescribeServiceDeployments "
        "ecs:ListServiceDeployments ecs:TagResource ecs:UntagResource ecs:ListTagsForResource"
    ),
    "aws:ecs/taskDefinition:TaskDefinition": (
        "ecs:RegisterTaskDefinition ecs:DescribeTaskDefinition ecs:DeregisterTaskDefinition ecs:TagResource "
        "ecs:UntagResource ecs:ListTagsForResource iam:PassRole"
    ),
    "aws:efs/accessPoint:AccessPoint": (
        "elasticfilesystem:CreateAccessPoint elasticfilesystem:DescribeAccessPoints "
        "elasticfilesystem:DeleteAccessPoint elasticfilesystem:TagResource elasticfilesystem:UntagResource"
    ),
    "aws:efs/backupPolicy:BackupPolicy": (
        "elasticfilesystem:PutBackupPolicy elasticfilesystem:DescribeBackupPolicy iam:CreateServiceLinkedRole"
    ),
    "aws:efs/fileSystem:FileSystem": (
        "elasticfilesystem:CreateFileSystem elasticfilesystem:DescribeFileSystems elasticfilesystem:UpdateFileSystem "
        "elasticfilesystem:DescribeLifecycleConfiguration elasticfilesystem:PutLifecycleConfiguration "
        "elasticfilesystem:DeleteFileSystem elasticfilesystem:TagResource elasticfilesystem:UntagResource "
        "elasticfilesystem:ListTagsForResource iam:CreateServiceLinkedRole"
    ),
    "aws:efs/fileSystemPolicy:FileSystemPolicy": (
        "elasticfilesystem:PutFileSystemPolicy elasticfilesystem:DescribeFileSystemPolicy "
        "elasticfilesystem:DeleteFileSystemPolicy"
    ),
    "aws:efs/mountTarget:MountTarget": (
        "elasticfilesystem:CreateMountTarget elasticfilesystem:DescribeMountTargets "
        "elasticfilesystem:DescribeMountTargetSecurityGroups elasticfilesystem:ModifyMountTargetSecurityGroups "
        "elasticfilesystem:DeleteMountTarget ec2:CreateNetworkInterface ec2:DeleteNetworkInterface "
        "ec2:DescribeNetworkInterfaces ec2:DescribeSubnets"
    ),
    "aws:iam/role:Role": (
        "iam:CreateRole iam:GetRole iam:UpdateRole iam:UpdateAssumeRolePolicy iam:UpdateRoleDescription iam:DeleteRole "
        "iam:PutRolePermissionsBoundary iam:DeleteRolePermissionsBoundary iam:ListRolePolicies "
        "iam:ListAttachedRolePolicies iam:ListInstanceProfilesForRole iam:ListRoleTags iam:TagRole iam:UntagRole"
    ),
    "aws:iam/rolePolicy:RolePolicy": "iam:PutRolePolicy iam:GetRolePolicy iam:DeleteRolePolicy",
    "aws:lambda/eventSourceMapping:EventSourceMapping": (
        "lambda:CreateEventSourceMapping lambda:GetEventSourceMapping lambda:UpdateEventSourceMapping "
        "lambda:DeleteEventSourceMapping lambda:ListTags lambda:TagResource lambda:UntagResource"
    ),
    "aws:lambda/function:Function": (
        "lambda:CreateFunction lambda:GetFunction lambda:GetFunctionConfiguration lambda:UpdateFunctionCode "
        "lambda:UpdateFunctionConfiguration lambda:DeleteFunction lambda:ListVersionsByFunction "
        "lambda:GetFunctionCodeSigningConfig lambda:PutFunctionConcurrency lambda:DeleteFunctionConcurrency "
        "lambda:ListTags lambda:TagResource lambda:UntagResource iam:PassRole ec2:DescribeSecurityGroups "
        "ec2:DescribeSubnets ec2:DescribeVpcs ec2:DescribeNetworkInterfaces"
    ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": (
        "lambda:PutFunctionEventInvokeConfig lambda:GetFunctionEventInvokeConfig "
        "lambda:UpdateFunctionEventInvokeConfig lambda:DeleteFunctionEventInvokeConfig"
    ),
    "aws:lambda/functionUrl:FunctionUrl": (
        "lambda:CreateFunctionUrlConfig lambda:GetFunctionUrlConfig lambda:UpdateFunctionUrlConfig "
        "lambda:DeleteFunctionUrlConfig"
    ),
    "aws:lambda/permission:Permission": "lambda:AddPermission lambda:GetPolicy lambda:RemovePermission",
    "aws:lb/listener:Listener": (
        "elasticloadbalancing:CreateListener elasticloadbalancing:DescribeListeners "
        "elasticloadbalancing:DescribeListenerAttributes elasticloadbalancing:ModifyListenerAttributes "
        "elasticloadbalancing:ModifyListener elasticloadbalancing:DeleteListener elasticloadbalancing:DescribeTags "
        "elasticloadbalancing:AddTags elasticloadbalancing:RemoveTags"
    ),
    "aws:lb/loadBalancer:LoadBalancer": (
        "elasticloadbalancing:CreateLoadBalancer elasticloadbalancing:DescribeLoadBalancers "
        "elasticloadbalancing:DescribeLoadBalancerAttributes elasticloadbalancing:ModifyLoadBalancerAttributes "
        "elasticloadbalancing:DescribeCapacityReservation elasticloadbalancing:SetSecurityGroups "
        "elasticloadbalancing:SetSubnets elasticloadbalancing:DeleteLoadBalancer elasticloadbalancing:DescribeTags "
        "elasticloadbalancing:AddTags elasticloadbalancing:RemoveTags ec2:DescribeAccountAttributes "
        "ec2:DescribeInternetGateways ec2:DescribeSubnets ec2:DescribeSecurityGroups iam:CreateServiceLinkedRole"
    ),
    "aws:lb/targetGroup:TargetGroup": (
        "elasticloadbalancing:CreateTargetGroup elasticloadbalancing:DescribeTargetGroups "
        "elasticloadbalancing:DescribeTargetGroupAttributes elasticloadbalancing:ModifyTargetGroup "
        "elasticloadbalancing:ModifyTargetGroupAttributes elasticloadbalancing:DeleteTargetGroup "
        "elasticloadbalancing:DescribeTags elasticloadbalancing:AddTags elasticloadbalancing:RemoveTags "
        "ec2:DescribeVpcs"
    ),
    "aws:s3/bucket:Bucket": (
        "s3:CreateBucket s3:ListBucket s3:DeleteBucket s3:GetBucketLocation s3:GetBucketTagging s3:PutBucketTagging "
        "s3:GetBucketAcl s3:GetBucketCORS s3:GetBucketWebsite s3:GetBucketVersioning s3:GetAccelerateConfiguration "
        "s3:GetBucketRequestPayment s3:GetBucketLogging s3:GetLifecycleConfiguration s3:GetReplicationConfiguration "
        "s3:GetEncryptionConfiguration s3:GetBucketObjectLockConfiguration s3:GetBucketPolicy "
        "s3:ListTagsForResource s3:TagResource s3:UntagResource"
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        "s3:GetLifecycleConfiguration s3:PutLifecycleConfiguration"
    ),
    "aws:s3/bucketNotification:BucketNotification": "s3:GetBucketNotification s3:PutBucketNotification",
    "aws:s3/bucketObjectv2:BucketObjectv2": (
        "s3:PutObject s3:GetObject s3:GetObjectVersion s3:DeleteObject s3:DeleteObjectVersion s3:ListBucketVersions "
        "s3:GetObjectTagging s3:PutObjectTagging s3:DeleteObjectTagging"
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": (
        "s3:GetBucketOwnershipControls s3:PutBucketOwnershipControls"
    ),
    "aws:s3/bucketPolicy:BucketPolicy": "s3:GetBucketPolicy s3:PutBucketPolicy s3:DeleteBucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (
        "s3:GetBucketPublicAccessBlock s3:PutBucketPublicAccessBlock"
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "s3:GetEncryptionConfiguration s3:PutEncryptionConfiguration"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": "s3:GetBucketVersioning s3:PutBucketVersioning",
    "aws:scheduler/schedule:Schedule": (
        "scheduler:CreateSchedule scheduler:GetSchedule scheduler:UpdateSchedule scheduler:DeleteSchedule iam:PassRole"
    ),
    "aws:secretsmanager/secret:Secret": (
        "secretsmanager:CreateSecret secretsmanager:DescribeSecret secretsmanager:GetResourcePolicy "
        "secretsmanager:UpdateSecret secretsmanager:RestoreSecret secretsmanager:DeleteSecret "
        "secretsmanager:TagResource secretsmanager:UntagResource"
    ),
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": (
        "servicediscovery:CreatePrivateDnsNamespace servicediscovery:GetNamespace servicediscovery:GetOperation "
        "servicediscovery:UpdatePrivateDnsNamespace servicediscovery:DeleteNamespace "
        "servicediscovery:ListTagsForResource servicediscovery:TagResource servicediscovery:UntagResource "
        "route53:CreateHostedZone route53:GetHostedZone route53:DeleteHostedZone route53:ListHostedZonesByName "
        "ec2:DescribeVpcs"
    ),
    "aws:servicediscovery/service:Service": (
        "servicediscovery:CreateService servicediscovery:GetService servicediscovery:UpdateService "
        "servicediscovery:DeleteService servicediscovery:ListInstances servicediscovery:DeregisterInstance "
        "servicediscovery:ListTagsForResource servicediscovery:TagResource servicediscovery:UntagResource"
    ),
    "aws:sqs/queue:Queue": (
        f"sqs:CreateQueue sqs:GetQueueUrl sqs:DeleteQueue sqs:ListQueueTags sqs:TagQueue sqs:UntagQueue {_QUEUE}"
    ),
    "aws:sqs/queuePolicy:QueuePolicy": _QUEUE,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _QUEUE,
    "aws:sqs/redrivePolicy:RedrivePolicy": _QUEUE,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": (
        f"ec2:AuthorizeSecurityGroupEgress ec2:RevokeSecurityGroupEgress {_GROUP_RULES} {_TAGS_EC2}"
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (
        f"ec2:AuthorizeSecurityGroupIngress ec2:RevokeSecurityGroupIngress {_GROUP_RULES} {_TAGS_EC2}"
    ),
    "alien:index:Artifact": "s3:PutObject s3:GetObject s3:DeleteObject",
    "alien:index:Image": (
        "ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:InitiateLayerUpload ecr:UploadLayerPart "
        "ecr:CompleteLayerUpload ecr:PutImage ecr:BatchGetImage ecr:GetDownloadUrlForLayer ecr:BatchDeleteImage"
    ),
}
"""By type: the actions, as words."""

_ROLES = "arn:{partition}:iam::{account}:role/alien/{prefix}/*"
SCOPES: Mapping[str, tuple[str, ...]] = {
    "cloudformation": ("arn:{partition}:cloudformation:{region}:{account}:stack/{prefix}-*",),
    "cloudwatch": ("arn:{partition}:cloudwatch:{region}:{account}:alarm:{prefix}-*",),
    "dynamodb": ("arn:{partition}:dynamodb:{region}:{account}:table/{prefix}-*",),
    "ecr": ("arn:{partition}:ecr:{region}:{account}:repository/{prefix}-*",),
    "ecs": (
        "arn:{partition}:ecs:{region}:{account}:cluster/{prefix}",
        "arn:{partition}:ecs:{region}:{account}:service/{prefix}/*",
        "arn:{partition}:ecs:{region}:{account}:service-deployment/{prefix}/*",
        "arn:{partition}:ecs:{region}:{account}:task-definition/{prefix}-*:*",
    ),
    "elasticloadbalancing": (
        "arn:{partition}:elasticloadbalancing:{region}:{account}:listener/app/{balanced}*",
        "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/app/{balanced}*",
        "arn:{partition}:elasticloadbalancing:{region}:{account}:targetgroup/{balanced}*",
    ),
    "events": ("arn:{partition}:events:{region}:{account}:rule/{prefix}-*",),
    "iam": (_ROLES,),
    "lambda": (
        "arn:{partition}:lambda:{region}:{account}:event-source-mapping:*",
        "arn:{partition}:lambda:{region}:{account}:function:{prefix}-*",
    ),
    "logs": ("arn:{partition}:logs:{region}:{account}:log-group:/aws/*/{prefix}*",),
    "s3": ("arn:{partition}:s3:::{prefix}-*",),
    "scheduler": ("arn:{partition}:scheduler:{region}:{account}:schedule/*/{prefix}-*",),
    "secretsmanager": ("arn:{partition}:secretsmanager:{region}:{account}:secret:{prefix}-*",),
    "sqs": ("arn:{partition}:sqs:{region}:{account}:{prefix}-*",),
}
"""By service: what its actions may be limited to. The others make things whose ids nobody knows beforehand."""
UNSCOPED = frozenset(
    {
        "acm:RequestCertificate",
        "ecr:GetAuthorizationToken",
        "ecs:DeregisterTaskDefinition",
        "ecs:DescribeTaskDefinition",
        "lambda:CreateEventSourceMapping",
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
        "secretsmanager:GetRandomPassword",
    }
)
"""Actions that IAM limits to no resource; so are those that describe what EC2 and load balancing have."""
_NAMELESS_DESCRIBE = ("application-autoscaling:Describe", "ec2:Describe", "elasticloadbalancing:Describe")
SERVICE_LINKED = "iam:CreateServiceLinkedRole"
GIVE_ROLE = "iam:PassRole"
_BALANCED = 20
"""Of a prefix, what every name of a load balancer begins with: these names are short."""
_WITH_KEY = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")


def policy(types: Iterable[str], known: Mapping[str, str], *, key: str | None = None) -> dict[str, Any]:
    """The IAM policy for these types. `known`: partition, region, account and prefix; `key`: the customer's, if any."""
    known = {**known, "balanced": known["prefix"][:_BALANCED]}
    actions = sorted({action for kind in types for action in ACTIONS.get(kind, "").split()})
    nameless = [a for a in actions if is_nameless(a)]
    numbered = [a for a in actions if a not in nameless and _service(a) not in SCOPES]
    anywhere = {*nameless, *numbered}
    named = [a for a in actions if a not in anywhere and a not in {GIVE_ROLE, SERVICE_LINKED}]
    services = dict.fromkeys(_service(action) for action in named)
    statements = [
        _statement(service, [a for a in named if _service(a) == service], SCOPES[service], known)
        for service in services
    ]
    if GIVE_ROLE in actions:
        statements.append(_statement("PassRole", [GIVE_ROLE], (_ROLES,), known))
    if SERVICE_LINKED in actions:
        place = "arn:{partition}:iam::{account}:role/aws-service-role/*"
        statements.append(_statement("ServiceLinkedRoles", [SERVICE_LINKED], (place,), known))
    if key:
        statements.append({"Sid": "Key", "Effect": "Allow", "Action": [*_WITH_KEY], "Resource": [key]})
    # A policy has no comments: the Sids of what holds for `*` say why it has to.
    for why, found in (("IamLimitsTheseToNoResource", nameless), ("AwsChoosesTheIdsOfThese", numbered)):
        if found:
            statements.append({"Sid": why, "Effect": "Allow", "Action": found, "Resource": "*"})
    return {"Version": "2012-10-17", "Statement": statements}


def is_nameless(action: str) -> bool:
    """Whether a policy cannot say on which resource an action is allowed."""
    return action in UNSCOPED or action.startswith(_NAMELESS_DESCRIBE)


def _service(action: str) -> str:
    return action.partition(":")[0]


def _statement(sid: str, actions: list[str], places: tuple[str, ...], known: Mapping[str, str]) -> dict[str, Any]:
    resources = [place.format_map(known) for place in places]
    more = [f"{place}/*" for place in resources if sid == "s3"]
    return {"Sid": sid.title(), "Effect": "Allow", "Action": actions, "Resource": [*resources, *more]}
