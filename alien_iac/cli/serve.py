"""`alien serve`: the control plane, until it is told to end."""

import os
from pathlib import Path

import click

from alien_iac.cli import render
from alien_iac.cli.backup import backup, restore
from alien_iac.control.forwarding import target
from alien_iac.control.server import Started
from alien_iac.control.server import serve as run
from alien_iac.control.settings import Settings
from alien_iac.control.store.postgres import VARIABLE, from_words


@click.group(invoke_without_command=True)
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for all it keeps."
)
@click.option(
    "--database", metavar="URL", help=f"A Postgres for several instances, without its password; or {VARIABLE}."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address; beyond loopback it needs TLS.")
@click.option("--port", default=8700, show_default=True, help="Port; 0 takes any that is free.")
@click.option("--certificate", type=click.Path(exists=True, path_type=Path), help="TLS certificate (PEM).")
@click.option("--private-key", type=click.Path(exists=True, path_type=Path), help="Its private key (PEM).")
@click.option(
    "--key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the keys that seal what it keeps, one a line; without, one is made in the folder.",
)
@click.option("--key-command", help="A command that prints these keys: one that asks a KMS.")
@click.option("--public-url", help="How others reach it, where that is another address.")
@click.option("--forward", help="An OTLP endpoint (without /v1/logs) that gets all telemetry too.")
@click.option(
    "--forward-headers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with that endpoint's headers, `name: value`.",
)
@render.JSON_OPTION
@click.pass_context
def serve(
    context: click.Context,
    data: Path,
    database: str | None,
    host: str,
    port: int,
    certificate: Path | None,
    private_key: Path | None,
    key_file: Path | None,
    key_command: str | None,
    public_url: str | None,
    forward: str | None,
    forward_headers: Path | None,
    *,
    as_json: bool,
) -> None:
    """Run the control plane. The first start makes an admin's token, in a file that only you may read."""

    def ready(started: Started) -> None:
        dashboard = f"{started.url}/dashboard/"
        facts = {"url": started.url, "adminTokenFile": started.admin_token_file, "dashboard": dashboard}
        text = f"control plane: {started.url}\nadmin token: {started.admin_token_file}\ndashboard: {dashboard}"
        render.show(facts, lambda _: text, as_json_=as_json)

    settings = Settings(
        data=data,
        database=from_words(database, os.environ),
        host=host,
        port=port,
        certificate=certificate,
        private_key=private_key,
        key_file=key_file,
        key_command=key_command,
        public_url=public_url,
        forward=target(forward, forward_headers),
    )
    context.obj = settings
    if context.invoked_subcommand is None:
        run(settings, ready)


serve.add_command(backup)
serve.add_command(restore)
