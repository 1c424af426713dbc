"""Types whose resources take several calls, or parameters of another form than the provider's inputs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from providers.aws.ministack_account import Account, Apply, Call, Inputs
from providers.aws.ministack_requests import pairs
from runtime.stores_aws import REGION

Made = Mapping[str, Any]
_ATTRIBUTES = {
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}
_DISCOVERY = Call(
    service="servicediscovery",
    operation="CreateService",
    identity="Service.Id",
    outputs={"arn": "Service.Arn"},
    left=("forceDestroy",),
)
_FUNCTION = Call(
    service="lambda",
    operation="CreateFunction",
    identity="=name",
    names={"name": "FunctionName", "code": "Code.ZipFile"},
    outputs={"arn": "FunctionArn", "sourceCodeHash": "CodeSha256"},
    left=("sourceCodeHash",),
)
_GROUP = Call(service="ec2", operation="CreateSecurityGroup", identity="GroupId", names={"name": "GroupName"})
_INTERNET = Call(
    service="ec2", operation="CreateInternetGateway", identity="InternetGateway.InternetGatewayId", left=("vpcId",)
)
_LOGS = Call(
    service="logs",
    operation="CreateLogGroup",
    identity="=name",
    names={"name": "logGroupName"},
    left=("retentionInDays",),
)
_NAMESPACE = Call(service="servicediscovery", operation="CreatePrivateDnsNamespace", identity="OperationId")
_SUBNET = Call(service="ec2", operation="CreateSubnet", identity="Subnet.SubnetId", left=("mapPublicIpOnLaunch",))
_SWITCHES = ("enableDnsHostnames", "enableDnsSupport")
_VPC = Call(service="ec2", operation="CreateVpc", identity="Vpc.VpcId", left=_SWITCHES)


def bucket(account: Account, inputs: Inputs) -> Made:
    """A bucket; what is set of it has types of its own. `forceDestroy` is for a delete."""
    _only(inputs, {"bucket", "forceDestroy", "tags"})
    client, name = account.client("s3"), inputs["bucket"]
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": pairs(account.tagged(inputs))})
    return {"id": name}


def default_security_group(account: Account, inputs: Inputs) -> Made:
    """The one that comes with a network: the provider takes its rules away."""
    _only(inputs, {"egress", "ingress", "vpcId"})
    client = account.client("ec2")
    here = [{"Name": "vpc-id", "Values": [inputs["vpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    [group] = client.describe_security_groups(Filters=here)["SecurityGroups"]
    identity = group["GroupId"]
    if group["IpPermissions"]:
        client.revoke_security_group_ingress(GroupId=identity, IpPermissions=group["IpPermissions"])
    if group["IpPermissionsEgress"]:
        client.revoke_security_group_egress(GroupId=identity, IpPermissions=group["IpPermissionsEgress"])
    return {"id": identity}


def discovery(account: Account, inputs: Inputs) -> Made:
    """The provider names the namespace within `dnsConfig`, as AWS still takes it; MiniStack wants it beside that."""
    return _DISCOVERY(account, {**inputs, "namespaceId": inputs["dnsConfig"]["namespaceId"]})


def egress_rule(account: Account, inputs: Inputs) -> Made:
    """A way out."""
    answer = account.client("ec2").authorize_security_group_egress(**_rule(inputs))
    return {"id": answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]}


def function(account: Account, inputs: Inputs) -> Made:
    """The real zip goes up. Where the code runs is MiniStack's business: it is told to its processes, not to us."""
    made = _FUNCTION(account, {**inputs, "code": Path(inputs["code"]["path"]).read_bytes()})
    if made["sourceCodeHash"] != inputs["sourceCodeHash"]:
        raise ValueError(f"{inputs['name']}: the code that arrived is not the code that was hashed")
    return made


def ingress_rule(account: Account, inputs: Inputs) -> Made:
    """A way in."""
    answer = account.client("ec2").authorize_security_group_ingress(**_rule(inputs))
    return {"id": answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]}


def internet_gateway(account: Account, inputs: Inputs) -> Made:
    """It is made, and then joined to its network."""
    made = _INTERNET(account, inputs)
    account.client("ec2").attach_internet_gateway(InternetGatewayId=made["id"], VpcId=inputs["vpcId"])
    return made


def log_group(account: Account, inputs: Inputs) -> Made:
    """How long it keeps logs is set in a second call."""
    made = _LOGS(account, inputs)
    days = int(inputs["retentionInDays"])
    account.client("logs").put_retention_policy(logGroupName=inputs["name"], retentionInDays=days)
    return made


def namespace(account: Account, inputs: Inputs) -> Made:
    """Names within a network are made in the background; the operation tells the id."""
    operation = _NAMESPACE(account, {**inputs, "creatorRequestId": uuid4().hex})["id"]
    told = account.client("servicediscovery").get_operation(OperationId=operation)["Operation"]
    return {"id": told["Targets"]["NAMESPACE"]}


def queue(account: Account, inputs: Inputs) -> Made:
    """SQS takes all settings as text."""
    _only(inputs, {*_ATTRIBUTES, "name", "tags"})
    client = account.client("sqs")
    settings = {_ATTRIBUTES[key]: _text(value) for key, value in inputs.items() if key in _ATTRIBUTES}
    made = client.create_queue(QueueName=inputs["name"], Attributes=settings, tags=account.tagged(inputs))
    url = made["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return {"id": url, "url": url, "arn": arn}


def queue_attribute(key: str, attribute: str) -> Apply:
    """The type that is one setting of a queue, a document in the input `key`."""

    def put(account: Account, inputs: Inputs) -> Made:
        _only(inputs, {key, "queueUrl"})
        account.client("sqs").set_queue_attributes(QueueUrl=inputs["queueUrl"], Attributes={attribute: inputs[key]})
        return {"id": inputs["queueUrl"]}

    return put


def security_group(account: Account, inputs: Inputs) -> Made:
    """AWS lets a new one reach everything; the provider takes that away."""
    made, client = _GROUP(account, inputs), account.client("ec2")
    [group] = client.describe_security_groups(GroupIds=[made["id"]])["SecurityGroups"]
    if group["IpPermissionsEgress"]:
        client.revoke_security_group_egress(GroupId=made["id"], IpPermissions=group["IpPermissionsEgress"])
    return made


def subnet(account: Account, inputs: Inputs) -> Made:
    """Whether what starts in it gets a public address is set in a second call."""
    made = _SUBNET(account, inputs)
    public = {"Value": inputs["mapPublicIpOnLaunch"]}
    account.client("ec2").modify_subnet_attribute(SubnetId=made["id"], MapPublicIpOnLaunch=public)
    return made


def table(account: Account, inputs: Inputs) -> Made:
    """Expiry and recovery are switched on once the table is there."""
    _only(
        inputs,
        {"attributes", "billingMode", "deletionProtectionEnabled", "hashKey", "name", "pointInTimeRecovery"}
        | {"rangeKey", "tags", "ttl"},
    )
    client, name, back = account.client("dynamodb"), inputs["name"], inputs["pointInTimeRecovery"]
    keys = [("HASH", inputs["hashKey"]), ("RANGE", inputs["rangeKey"])]
    made = client.create_table(
        TableName=name,
        BillingMode=inputs["billingMode"],
        DeletionProtectionEnabled=inputs["deletionProtectionEnabled"],
        AttributeDefinitions=[{"AttributeName": a["name"], "AttributeType": a["type"]} for a in inputs["attributes"]],
        KeySchema=[{"AttributeName": attribute, "KeyType": kind} for kind, attribute in keys],
        Tags=pairs(account.tagged(inputs)),
    )
    expiry = {"AttributeName": inputs["ttl"]["attributeName"], "Enabled": inputs["ttl"]["enabled"]}
    client.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
    days = int(back["recoveryPeriodInDays"])
    recovery = {"PointInTimeRecoveryEnabled": back["enabled"], "RecoveryPeriodInDays": days}
    client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    return {"id": name, "arn": made["TableDescription"]["TableArn"]}


def vpc(account: Account, inputs: Inputs) -> Made:
    """AWS takes each of its switches in a call of its own."""
    made, client = _VPC(account, inputs), account.client("ec2")
    for name in _SWITCHES:
        switch = {f"{name[0].upper()}{name[1:]}": {"Value": inputs[name]}}
        client.modify_vpc_attribute(VpcId=made["id"], **switch)
    return made


def _only(inputs: Inputs, known: Collection[str]) -> None:
    unknown = inputs.keys() - known
    if unknown:
        raise LookupError(
            f"nothing is made of {', '.join(sorted(unknown))} here; of these is: {', '.join(sorted(known))}"
        )


def _rule(inputs: Inputs) -> dict[str, Any]:
    _only(
        inputs,
        {"cidrIpv4", "description", "fromPort", "ipProtocol", "referencedSecurityGroupId", "securityGroupId", "tags"}
        | {"toPort"},
    )
    rule: dict[str, Any] = {"IpProtocol": inputs["ipProtocol"]}
    rule |= {"FromPort": int(inputs["fromPort"]), "ToPort": int(inputs["toPort"])}
    if "cidrIpv4" in inputs:
        rule["IpRanges"] = [{"CidrIp": inputs["cidrIpv4"], "Description": inputs["description"]}]
    else:
        other = {"GroupId": inputs["referencedSecurityGroupId"], "Description": inputs["description"]}
        rule["UserIdGroupPairs"] = [other]
    return {"GroupId": inputs["securityGroupId"], "IpPermissions": [rule]}


def _text(value: object) -> str:
    return (
        str(value).lower() if isinstance(value, bool) else str(int(value)) if isinstance(value, float) else str(value)
    )
