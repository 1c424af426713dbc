"""Linked Containers on a cloud: the same on each, an address inside the deployment."""

from __future__ import annotations

from typing import Any

from alien_iac.protocol.bindings import CloudContainer
from alien_iac.runtime.stores.http_calls import Addresses
from alien_iac.runtime.stores.parsing import parse


def connect_container(raw: dict[str, Any], resource_id: str) -> Addresses:
    """The Container that a binding names."""
    binding = parse(CloudContainer, raw, resource_id)
    return Addresses(binding.internal_url, binding.public_url)
