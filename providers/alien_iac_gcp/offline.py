"""Outputs that Google Cloud would give a resource or an invoke, made up from its inputs, so that nothing needs a cloud.

Synthetic: no project has what they name. A template is filled from the inputs and from where the deployment is;
`{logical}` is a resource's logical name, and `{api}` the API that an input names.
"""

from collections.abc import Callable, Mapping
from typing import Any

from alien_iac_gcp.place import place

Outputs = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]

NUMBER = "123456789012"
_AGENT = "service-123456789012@gcp-sa-{api}.iam.gserviceaccount.com"
_COMPUTE = "https://www.googleapis.com/compute/v1/projects/{project}"

TEMPLATES: Mapping[str, Mapping[str, str]] = {
    "gcp:artifactregistry/repository:Repository": {"name": "{repositoryId}"},
    "gcp:compute/address:Address": {
        "address": "10.64.0.10",
        "selfLink": _COMPUTE + "/regions/{region}/addresses/{name}",
    },
    "gcp:compute/globalAddress:GlobalAddress": {"address": "203.0.113.10"},
    "gcp:compute/instanceGroupManager:InstanceGroupManager": {
        "instanceGroup": _COMPUTE + "/zones/{zone}/instanceGroups/{name}"
    },
    "gcp:compute/instanceTemplate:InstanceTemplate": {
        "selfLinkUnique": _COMPUTE + "/global/instanceTemplates/{namePrefix}1?uniqueId=1"
    },
    "gcp:compute/getSubnetwork:getSubnetwork": {"network": _COMPUTE + "/global/networks/customer"},
    "gcp:organizations/getProject:getProject": {"number": NUMBER, "projectId": "{project}"},
    "gcp:projects/serviceIdentity:ServiceIdentity": {"email": _AGENT, "member": "serviceAccount:" + _AGENT},
    "gcp:storage/bucket:Bucket": {"url": "gs://{name}"},
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": {
        "emailAddress": "service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
    },
    "random:index/randomPassword:RandomPassword": {"result": "(made by the provider random)"},
}


def outputs(settings: Mapping[str, Any]) -> Outputs:
    """The outputs of any resource or invoke of a deployment with this config. Raises ConfigInvalid without a place."""
    return lambda kind, logical, inputs: _outputs(settings, kind, logical, inputs)


def _outputs(settings: Mapping[str, Any], kind: str, logical: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    templates = TEMPLATES.get(kind)
    if templates is None:
        return {}
    where = place(settings)
    api = str(inputs.get("service", "")).split(".")[0]
    known = {
        "api": api,
        "logical": logical,
        "region": where.region,
        "zone": where.zone,
        **inputs,
        "project": where.project,
    }
    return {name: template.format_map(known) for name, template in templates.items()}
