"""Releases as the agent has them after they were verified."""

from typing import Any

from alien_iac.agent.place import Identity
from alien_iac.agent.release import Release
from alien_iac.protocol.manifest import Manifest, SignedConfig

IDENTITY = Identity(
    control_plane="https://c", deployment_id="dep_1", customer="acme", platform="local", program="tiny", prefix="acme-1"
)


def release(sequence: int = 1, config: SignedConfig | None = None, **more: Any) -> Release:
    bundle = {"path": "b", "sha256": "0" * 64, "length": 1}
    facts = {"vendor": "initech", "program": "tiny", "platforms": ("local",), "version": f"{sequence}.0"}
    manifest = Manifest.model_validate({**facts, "sequence": sequence, "program_bundle": bundle, **more})
    return Release(path=f"m{sequence}", digest=f"{sequence:064}", manifest=manifest, config=config)


def config(serial: int, deployment_id: str = "dep_1") -> SignedConfig:
    return SignedConfig(deployment_id=deployment_id, serial=serial, customer="acme", values={}, salt="s")
