"""Outputs of our own plugin's resources, made up: a literal table by type. A cloud's are in its platform's package."""

from collections.abc import Mapping
from typing import Any

from alien_iac import platforms
from alien_iac.models.platform import Platform
from alien_iac.protocol import code, local
from alien_iac.review.offline import Outputs

_DIGEST = f"sha256:{'0' * 64}"
OURS: Mapping[str, Mapping[str, Any]] = {
    code.ARTIFACT: {"size": 1_000_000},
    code.IMAGE: {"digest": _DIGEST, "reference": "{repository}@" + _DIGEST},
    local.DIRECTORY: {},
    local.KV: {},
    local.QUEUE: {},
    local.SECRET: {},
    local.PROCESS: {"port": 40_000, "url": "http://127.0.0.1:40000", "pid": 1_000},
}
"""By type: outputs beside the inputs, texts with the inputs' names in them."""


def outputs(platform: Platform, settings: Mapping[str, Any]) -> Outputs:
    """What resources on a platform have beside their inputs. Raises ConfigInvalid where the config names no place."""
    has_table = platforms.OFFLINE in platforms.support(platform).kinds
    of_cloud: Outputs | None = platforms.load(platform, platforms.OFFLINE)(settings) if has_table else None

    def made(kind: str, logical: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        if kind in OURS:
            return {k: v.format_map(inputs) if isinstance(v, str) else v for k, v in OURS[kind].items()}
        return of_cloud(kind, logical, inputs) if of_cloud else {}

    return made
