"""Nothing is public but what a component declares to be: data that anybody reads, and addresses that anybody calls."""

from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.policy.model import Resource, Rule, Stack, items, section, statements

_ANYBODY = frozenset({"allUsers", "allAuthenticatedUsers"})
_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_MEMBERS = (
    "gcp:cloudrun/iamMember:IamMember",
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember",
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember",
    "gcp:pubsub/topicIAMMember:TopicIAMMember",
    "gcp:secretmanager/secretIamMember:SecretIamMember",
    "gcp:storage/bucketIAMMember:BucketIAMMember",
)


def _block(resource: Resource, stack: Stack) -> Iterator[str]:
    open_ = [key for key in _BLOCKS if resource.inputs.get(key) is not True]
    if open_ and not stack.is_declared_public(resource):
        yield f"{', '.join(open_)} is not true"


def _acl(resource: Resource, _: Stack) -> Iterator[str]:
    acl = resource.inputs.get("acl")
    if isinstance(acl, str) and (acl.startswith("public") or acl == "authenticated-read"):
        yield f"its acl is {acl}"


def _resource_policy(resource: Resource, stack: Stack) -> Iterator[str]:
    for each in statements(resource.inputs.get("policy")):
        principal = each.get("Principal")
        named = principal.get("AWS") if isinstance(principal, Mapping) else principal
        anybody = each.get("Effect") == "Allow" and "*" in items(named) and not each.get("Condition")
        if anybody and not stack.is_declared_public(resource):
            yield f"its policy allows {', '.join(map(str, items(each.get('Action'))))} to everybody"


def _gcs(resource: Resource, stack: Stack) -> Iterator[str]:
    if resource.inputs.get("uniformBucketLevelAccess") is not True:
        yield "uniformBucketLevelAccess is not true, so that objects have access lists of their own"
    prevention = resource.inputs.get("publicAccessPrevention")
    if prevention != "enforced" and not stack.is_declared_public(resource):
        yield f"publicAccessPrevention is {prevention or 'inherited'}, not enforced"


def _member(resource: Resource, stack: Stack) -> Iterator[str]:
    member = resource.inputs.get("member")
    if member in _ANYBODY and not stack.is_declared_public(resource):
        yield f"{member} has {resource.inputs.get('role')}"


def _account(resource: Resource, stack: Stack) -> Iterator[str]:
    if resource.inputs.get("allowBlobPublicAccess") is not False and not stack.is_declared_public(resource):
        yield "allowBlobPublicAccess is not false"


def _container(resource: Resource, stack: Stack) -> Iterator[str]:
    access = resource.inputs.get("publicAccess")
    if access not in {None, "None"} and not stack.is_declared_public(resource):
        yield f"publicAccess is {access}"


def _permission(resource: Resource, stack: Stack) -> Iterator[str]:
    if resource.inputs.get("principal") == "*" and not stack.is_declared_public(resource):
        yield "everybody may call the function"


def _function_url(resource: Resource, stack: Stack) -> Iterator[str]:
    if resource.inputs.get("authorizationType") != "AWS_IAM" and not stack.is_declared_public(resource):
        yield "its address asks nobody who they are"


def _balancer(resource: Resource, stack: Stack) -> Iterator[str]:
    if resource.inputs.get("internal") is not True and not stack.is_declared_public(resource):
        yield "it has an address on the internet"


def _gateway(resource: Resource, stack: Stack) -> Iterator[str]:
    if resource.inputs.get("authorizationType") in {None, "NONE"} and not stack.is_declared_public(resource):
        yield "the route asks nobody who they are"


def _task(resource: Resource, _: Stack) -> Iterator[str]:
    if section(resource.inputs, "networkConfiguration").get("assignPublicIp") is True:
        yield "its tasks have public addresses"


def _run(resource: Resource, stack: Stack) -> Iterator[str]:
    ingress = resource.inputs.get("ingress", "INGRESS_TRAFFIC_ALL")
    unchecked = resource.inputs.get("invokerIamDisabled") is True
    if ingress == "INGRESS_TRAFFIC_ALL" and unchecked and not stack.is_declared_public(resource):
        yield "it takes calls from the internet and asks nobody who they are"


def _machine(resource: Resource, _: Stack) -> Iterator[str]:
    interfaces = items(resource.inputs.get("networkInterfaces"))
    if any(isinstance(each, Mapping) and each.get("accessConfigs") for each in interfaces):
        yield "its machines have public addresses"


def _site(resource: Resource, stack: Stack) -> Iterator[str]:
    config = section(resource.inputs, "siteConfig")
    closed = resource.inputs.get("publicNetworkAccess") == "Disabled"
    denied = config.get("ipSecurityRestrictionsDefaultAction") == "Deny"
    if not closed and not denied and not stack.is_declared_public(resource):
        yield "whoever is not named by ipSecurityRestrictions may call it"


def _app(resource: Resource, stack: Stack) -> Iterator[str]:
    ingress = section(resource.inputs, "configuration", "ingress")
    if ingress.get("external") is not True or stack.is_declared_public(resource):
        return
    name = _last(resource.inputs.get("environmentId") or resource.inputs.get("managedEnvironmentId"))
    around = [each for each in stack.of("azure-native:app:ManagedEnvironment") if _environment(each) == name]
    inside = any(section(each.inputs, "vnetConfiguration").get("internal") is True for each in around)
    if not inside:
        yield "it has external ingress in an environment that is not internal"


def _environment(resource: Resource) -> Any:
    return resource.inputs.get("environmentName", resource.name)


def _last(identity: object) -> str:
    return str(identity).rpartition("/")[2]


RULES = (
    Rule(
        name="public-data",
        says="Data is for everybody only where its component has public_read.",
        checks={
            "aws:s3/bucket:Bucket": _acl,
            "aws:s3/bucketAcl:BucketAcl": _acl,
            "aws:s3/bucketPolicy:BucketPolicy": _resource_policy,
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _block,
            "aws:secretsmanager/secretPolicy:SecretPolicy": _resource_policy,
            "aws:sqs/queuePolicy:QueuePolicy": _resource_policy,
            "azure-native:storage:BlobContainer": _container,
            "azure-native:storage:StorageAccount": _account,
            "gcp:storage/bucket:Bucket": _gcs,
            **dict.fromkeys(_MEMBERS, _member),
        },
    ),
    Rule(
        name="public-address",
        says="A workload answers everybody only where its component is public.",
        checks={
            "aws:apigatewayv2/route:Route": _gateway,
            "aws:ecs/service:Service": _task,
            "aws:lambda/functionUrl:FunctionUrl": _function_url,
            "aws:lambda/permission:Permission": _permission,
            "aws:lb/loadBalancer:LoadBalancer": _balancer,
            "azure-native:app:ContainerApp": _app,
            "azure-native:web:WebApp": _site,
            "gcp:cloudrunv2/service:Service": _run,
            "gcp:compute/instance:Instance": _machine,
            "gcp:compute/instanceTemplate:InstanceTemplate": _machine,
        },
    ),
)
