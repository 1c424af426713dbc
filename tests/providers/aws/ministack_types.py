"""Type to how MiniStack is asked for a resource of it. The types left out are in a table too, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping

from providers.aws import ministack_steps as steps
from providers.aws.ministack_account import Apply, Call

SKIPPED: Mapping[str, str] = {
    "alien:index:Image": "our own plugin's, which has its tests: it needs a registry that holds the base image",
    "aws:apigatewayv2/vpcLink:VpcLink": "MiniStack has no VPC links",
    "aws:ecs/service:Service": "its tasks are containers of the image that is left out",
}
"""What no resource is made of. What the stack program reads of it is made up, as in a review."""
_GATEWAY = "apigatewayv2"

TYPES: Mapping[str, Apply] = {
    "aws:apigatewayv2/api:Api": Call(
        service=_GATEWAY, operation="CreateApi", identity="ApiId", outputs={"apiEndpoint": "ApiEndpoint"}
    ),
    "aws:apigatewayv2/integration:Integration": Call(
        service=_GATEWAY,
        operation="CreateIntegration",
        identity="IntegrationId",
        names={"timeoutMilliseconds": "TimeoutInMillis"},
    ),
    "aws:apigatewayv2/route:Route": Call(service=_GATEWAY, operation="CreateRoute", identity="RouteId"),
    "aws:apigatewayv2/stage:Stage": Call(
        service=_GATEWAY, operation="CreateStage", identity="StageName", names={"name": "StageName"}
    ),
    "aws:cloudwatch/logGroup:LogGroup": steps.log_group,
    "aws:dynamodb/table:Table": steps.table,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": steps.default_security_group,
    "aws:ec2/eip:Eip": Call(service="ec2", operation="AllocateAddress", identity="AllocationId"),
    "aws:ec2/flowLog:FlowLog": Call(
        service="ec2",
        operation="CreateFlowLogs",
        identity="FlowLogIds.0",
        names={"vpcId": "ResourceIds", "iamRoleArn": "DeliverLogsPermissionArn"},
        fixed={"ResourceType": "VPC"},
    ),
    "aws:ec2/internetGateway:InternetGateway": steps.internet_gateway,
    "aws:ec2/natGateway:NatGateway": Call(
        service="ec2", operation="CreateNatGateway", identity="NatGateway.NatGatewayId"
    ),
    "aws:ec2/route:Route": Call(service="ec2", operation="CreateRoute", identity="=routeTableId"),
    "aws:ec2/routeTable:RouteTable": Call(
        service="ec2", operation="CreateRouteTable", identity="RouteTable.RouteTableId"
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Call(
        service="ec2", operation="AssociateRouteTable", identity="AssociationId"
    ),
    "aws:ec2/securityGroup:SecurityGroup": steps.security_group,
    "aws:ec2/subnet:Subnet": steps.subnet,
    "aws:ec2/vpc:Vpc": steps.vpc,
    "aws:ec2/vpcEndpoint:VpcEndpoint": Call(
        service="ec2", operation="CreateVpcEndpoint", identity="VpcEndpoint.VpcEndpointId"
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": Call(
        service="ecr",
        operation="PutLifecyclePolicy",
        identity="=repository",
        names={"repository": "repositoryName", "policy": "lifecyclePolicyText"},
    ),
    "aws:ecr/repository:Repository": Call(
        service="ecr",
        operation="CreateRepository",
        identity="=name",
        names={"name": "repositoryName", "encryptionConfigurations": "encryptionConfiguration"},
        outputs={"arn": "repository.repositoryArn"},
        left=("forceDelete",),
    ),
    "aws:ecs/cluster:Cluster": Call(
        service="ecs",
        operation="CreateCluster",
        identity="cluster.clusterArn",
        names={"name": "clusterName"},
        outputs={"arn": "cluster.clusterArn"},
    ),
    "aws:ecs/taskDefinition:TaskDefinition": Call(
        service="ecs",
        operation="RegisterTaskDefinition",
        identity="=family",
        outputs={"arn": "taskDefinition.taskDefinitionArn"},
    ),
    "aws:iam/role:Role": Call(
        service="iam",
        operation="CreateRole",
        identity="=name",
        names={"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"},
        outputs={"arn": "Role.Arn"},
    ),
    "aws:iam/rolePolicy:RolePolicy": Call(
        service="iam",
        operation="PutRolePolicy",
        identity="=name",
        names={"name": "PolicyName", "role": "RoleName", "policy": "PolicyDocument"},
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": Call(
        service="lambda", operation="CreateEventSourceMapping", identity="UUID"
    ),
    "aws:lambda/function:Function": steps.function,
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": Call(
        service="lambda", operation="PutFunctionEventInvokeConfig", identity="=functionName"
    ),
    "aws:s3/bucket:Bucket": steps.bucket,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Call(
        service="s3",
        operation="PutBucketLifecycleConfiguration",
        identity="=bucket",
        names={"rules": "LifecycleConfiguration.Rules"},
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Call(
        service="s3",
        operation="PutBucketOwnershipControls",
        identity="=bucket",
        names={"rule": "OwnershipControls.Rules"},
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Call(service="s3", operation="PutBucketPolicy", identity="=bucket"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Call(
        service="s3",
        operation="PutPublicAccessBlock",
        identity="=bucket",
        names={
            name: f"PublicAccessBlockConfiguration.{name}"
            for name in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        },
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Call(
        service="s3",
        operation="PutBucketEncryption",
        identity="=bucket",
        names={"rules": "ServerSideEncryptionConfiguration.Rules"},
    ),
    "aws:s3/bucketVersioning:BucketVersioning": Call(service="s3", operation="PutBucketVersioning", identity="=bucket"),
    "aws:scheduler/schedule:Schedule": Call(service="scheduler", operation="CreateSchedule", identity="=name"),
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": steps.namespace,
    "aws:servicediscovery/service:Service": steps.discovery,
    "aws:sqs/queue:Queue": steps.queue,
    "aws:sqs/queuePolicy:QueuePolicy": steps.queue_attribute("policy", "Policy"),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": steps.queue_attribute("redriveAllowPolicy", "RedriveAllowPolicy"),
    "aws:sqs/redrivePolicy:RedrivePolicy": steps.queue_attribute("redrivePolicy", "RedrivePolicy"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": steps.egress_rule,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": steps.ingress_rule,
}
"""What one call makes, and what the functions of `ministack_steps` make by several."""
