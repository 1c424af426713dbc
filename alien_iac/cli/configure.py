"""`alien deployments configure`: the vendor's config of one deployment, signed like a release."""

import secrets
from pathlib import Path
from typing import Any

import yaml

from alien_iac import errors
from alien_iac.cli import remote, vendor
from alien_iac.packaging.release import signed_config
from alien_iac.packaging.vendor import VendorFolder
from alien_iac.protocol.api import Deployment, DesiredConfig
from alien_iac.protocol.manifest import SignedConfig

SALT_BYTES = 16


def read(file: Path) -> dict[str, Any]:
    """The values of a file such as `Pulumi.acme.yaml`, or of a plain mapping. Raises InvalidInput."""
    try:
        told = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise errors.InvalidInput(f"{file} is not YAML: {error}") from error
    values = told.get("config", told) if isinstance(told, dict) else None
    if not isinstance(values, dict):
        raise errors.InvalidInput(
            f"{file} is no mapping of config keys to values", hint="such as aws:region: eu-west-1"
        )
    secret = sorted(key for key, value in values.items() if isinstance(value, dict) and "secure" in value)
    if secret:
        raise errors.InvalidInput(f"a signed config holds no secret: {', '.join(secret)}", hint="use a Secret for it")
    return values


def sign(control: remote.Remote, folder: VendorFolder, one: Deployment, values: dict[str, Any]) -> SignedConfig:
    """Sign the config, publish it, and desire it for the deployment; its agent applies it with the release it has."""
    numbers, keys = folder.numbers(), folder.keys(vendor.passphrase())
    serial = numbers.serials.get(one.id, 0) + 1
    salt = secrets.token_hex(SALT_BYTES)
    config = SignedConfig(deployment_id=one.id, serial=serial, customer=one.customer, values=values, salt=salt)
    blob, content = signed_config(config)
    vendor.catch_up(control, folder)
    vendor.send_trust(control, folder)
    targets = folder.add(keys, [blob], vendor.now())
    control.call("PUT", f"/blobs/{blob.sha256}", content=content)
    control.call("PUT", "/tuf/targets", body={"metadata": vendor.encoded(targets)})
    folder.write_targets(targets)
    folder.write_numbers(numbers.model_copy(update={"serials": {**numbers.serials, one.id: serial}}))
    control.call("PUT", f"/deployments/{one.id}/config", body=DesiredConfig(target=blob.path).dump())
    return config
