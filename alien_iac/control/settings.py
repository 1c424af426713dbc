"""How a control plane is run: read once at the edge, and passed down."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from alien_iac.control import keyring
from alien_iac.control.forwarding import Target
from alien_iac.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One control plane."""

    data: Path
    """The folder that has everything it keeps."""
    database: URL | None = None
    """A Postgres that several instances may share; without, SQLite in the folder."""
    host: str = "127.0.0.1"
    port: int = 0
    """0: whichever is free."""
    certificate: Path | None = None
    """PEM file with the certificate and its chain."""
    private_key: Path | None = None
    """PEM file with the certificate's key."""
    public_url: str | None = None
    """How others reach it, where that differs from what their requests say (behind a proxy)."""
    key_file: Path | None = None
    """File with the keys that seal what it keeps; without, one is made in the folder."""
    key_command: str | None = None
    """A command that prints these keys."""
    forward: Target | None = None
    """Where telemetry goes beside its own database."""
    drain_seconds: int = 10
    """How long requests under way may take when it is to end."""

    @property
    def tls(self) -> bool:
        return self.certificate is not None

    def vault_keys(self) -> tuple[bytes, ...]:
        """The keys that are kept apart from the data, if any."""
        if self.key_command:
            return keyring.from_command(self.key_command)
        return keyring.from_file(self.key_file) if self.key_file else ()

    def check(self) -> None:
        """InvalidInput where it would be reachable from other machines without TLS, or half of TLS is missing."""
        if self.forward:
            self.forward.check()
        if self.key_file and self.key_command:
            raise InvalidInput("there are a key file and a key command", hint="give one of them")
        if (self.certificate is None) != (self.private_key is None):
            raise InvalidInput("TLS needs both a certificate and its private key", hint="give both, or neither")
        if not self.tls and not _is_loopback(self.host):
            raise InvalidInput(
                f"{self.host} can be reached from other machines, and there is no TLS",
                hint="give a certificate and its private key, or listen on 127.0.0.1",
            )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
