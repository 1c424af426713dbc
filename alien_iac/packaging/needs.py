"""What our own runtime needs in an artifact: the one table of platforms and kinds of links to requirements.

A workload has the SDKs of the stores that it is linked to, and of no others: they are most of an artifact's size. The
versions are those that this library itself declares for its own installation.
"""

from collections.abc import Iterable, Mapping

BASE: tuple[str, ...] = ("cronsim>=2.6", "httpx>=0.28", "pydantic>=2.11,<3", "starlette>=0.47", "uvicorn>=0.35")
"""Of every workload on a cloud."""
OF_PLATFORM: Mapping[str, tuple[str, ...]] = {
    "aws": (),
    "gcp": (),
    "azure": (),
}
"""Of every workload on this cloud, beside those."""
_OBSTORE, _BOTOCORE = "obstore>=0.12,<0.13", "botocore>=1.40"
OF_LINK: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "aws": {
        "Storage": (_OBSTORE,),
        "Kv": (_BOTOCORE,),
        "Queue": (_BOTOCORE,),
        "Secret": (_BOTOCORE,),
        "Function": (_BOTOCORE,),
    },
    "gcp": {"Storage": (_OBSTORE,)},
    "azure": {"Storage": (_OBSTORE,)},
}
"""Of a workload that is linked to a component of this kind."""
IN_IMAGE: Mapping[tuple[str, str], tuple[str, ...]] = {("aws", "Function"): (_BOTOCORE,)}
"""Platform and kind of workload to what the cloud's own image brings along: they are not packaged."""


def requirements(platform: str, kind: str, linked: Iterable[str]) -> tuple[str, ...]:
    """What an artifact of ours has for a workload of this kind, sorted; nothing on `local`, where it is installed."""
    if platform not in OF_PLATFORM:
        return ()
    links = (need for each in linked for need in OF_LINK[platform].get(each, ()))
    there = IN_IMAGE.get((platform, kind), ())
    return tuple(sorted({need for need in (*BASE, *OF_PLATFORM[platform], *links) if need not in there}))
