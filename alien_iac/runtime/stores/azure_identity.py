"""Who a workload is on Azure: the managed identity that `AZURE_CLIENT_ID` names, or the one its cluster vouches for.

Account keys and connection strings are not used anywhere.
"""

from __future__ import annotations

import os

from azure.core.credentials import TokenCredential
from azure.identity import ManagedIdentityCredential, WorkloadIdentityCredential

CLIENT_ID, TOKEN_FILE = "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"


def credential() -> TokenCredential:
    """The workload's credential; it asks for a token when it is first used, and keeps it while it is good."""
    if os.environ.get(TOKEN_FILE):
        return WorkloadIdentityCredential()
    return ManagedIdentityCredential(client_id=os.environ.get(CLIENT_ID))
