"""What our own runtime needs in an artifact: the one table of platforms, kinds of workloads and links to requirements.

A workload has the SDKs of the stores that it is linked to, and of no others: they are most of an artifact's size. The
versions are those that this library itself declares for its own installation.
"""

from collections.abc import Iterable, Mapping

Needs = tuple[str, ...]

BASE: Needs = ("cronsim>=2.6", "httpx>=0.28", "pydantic>=2.11,<3", "starlette>=0.47", "uvicorn>=0.35")
"""Of every workload on a cloud."""
OF_FUNCTION: Mapping[str, Needs] = {
    "aws": (),
    "gcp": ("google-auth>=2.40",),
    "azure": ("azure-functions>=1.23",),
}
"""Of every Function there: what its adapter needs to read tokens, or the host's events."""
_OBSTORE, _BOTOCORE = "obstore>=0.12,<0.13", "botocore>=1.40"
_AZURE_IDENTITY, _SERVICE_BUS = "azure-identity>=1.23", "azure-servicebus>=7.14"
OF_LINK: Mapping[str, Mapping[str, Needs]] = {
    "aws": {
        "Storage": (_OBSTORE,),
        "Kv": (_BOTOCORE,),
        "Queue": (_BOTOCORE,),
        "Secret": (_BOTOCORE,),
        "Function": (_BOTOCORE,),
    },
    "gcp": {
        "Storage": (_OBSTORE,),
        "Kv": ("google-cloud-firestore>=2.21",),
        "Queue": ("google-cloud-pubsub>=2.31",),
        "Secret": ("google-cloud-secret-manager>=2.24",),
        "Function": ("google-auth[requests]>=2.40",),
    },
    "azure": {
        "Storage": (_OBSTORE, _AZURE_IDENTITY),
        "Kv": ("azure-data-tables>=12.7", _AZURE_IDENTITY),
        "Queue": (_SERVICE_BUS, _AZURE_IDENTITY),
        "Secret": ("azure-keyvault-secrets>=4.9", _AZURE_IDENTITY),
        "Function": (_AZURE_IDENTITY,),
    },
}
"""Of a workload that is linked to a component of this kind. A Container is called with what is there anyway."""
OF_POLLING: Mapping[str, Needs] = {"azure": (_SERVICE_BUS, _AZURE_IDENTITY)}
"""Of a Function that asks its queues itself, since it runs where no host does."""
IN_IMAGE: Mapping[tuple[str, str], Needs] = {("aws", "Function"): (_BOTOCORE,)}
"""Platform and kind of workload to what the cloud's own image brings along: it is not packaged."""


def requirements(platform: str, kind: str, linked: Iterable[str] = (), *, polls: bool = False) -> Needs:
    """What an artifact of ours has for a workload of this kind, sorted; nothing on `local`, where it is installed."""
    if platform not in OF_LINK:
        return ()
    links = [need for each in linked for need in OF_LINK[platform].get(each, ())]
    own = OF_FUNCTION[platform] if kind == "Function" else ()
    polling = OF_POLLING.get(platform, ()) if polls else ()
    return tuple(sorted({*BASE, *own, *links, *polling} - set(IN_IMAGE.get((platform, kind), ()))))
