"""Linked workloads on `local`: loopback addresses, and for a Function its token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alien_iac.errors import Unauthorized
from alien_iac.protocol.bindings import LocalContainer, LocalWorker
from alien_iac.runtime.stores.http_calls import Addresses, HttpFunction
from alien_iac.runtime.stores.parsing import parse


def connect_container(raw: dict[str, Any], resource_id: str) -> Addresses:
    """The Container that a binding names."""
    binding = parse(LocalContainer, raw, resource_id)
    return Addresses(binding.internal_url, binding.public_url)


def connect_function(raw: dict[str, Any], resource_id: str) -> HttpFunction:
    """The Function that a binding names."""
    binding = parse(LocalWorker, raw, resource_id)

    def token() -> str:
        try:
            return Path(binding.token_file).read_text().strip() if binding.token_file else ""
        except OSError as error:
            text = f'function "{resource_id}": its token cannot be read ({type(error).__name__})'
            raise Unauthorized(text) from error

    return HttpFunction(binding.worker_url, resource_id, token, reaches_out=False)
