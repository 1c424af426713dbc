"""The command line `alien`: one file a verb, and this table of them.

The help of each verb stands in the table, so that `alien --help` imports no verb, and so neither Pulumi nor a server.
"""

import importlib
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import click

from alien_iac.errors import AlienError, Missing

VERBS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "init": ("init", "Make a project, or a new customer's config in it"),
        "doctor": ("doctor", "Say what is installed, what is missing, and how to get it"),
        "review": ("review", "Show what a stack program will do to an account, without touching it"),
        "preview": ("stack", "Show what an update would do to one deployment"),
        "up": ("stack", "Update one deployment by hand"),
        "cancel": ("stack", "Remove the lock of an update whose process is dead"),
        "destroy": ("stack", "Take one deployment down, and say what data stays"),
        "release": ("release", "Check, build, sign and record a release, and roll it out"),
        "rollout": ("rollout", "Follow and steer rollouts"),
        "rollback": ("rollback", "Take a release back"),
        "pin": ("pin", "Hold a deployment on its release"),
        "deployments": ("deployments", "List the deployments, or show one"),
        "command": ("command", "Send a command to a workload, list or cancel commands"),
        "secret": ("secret", "Set the value of a customer's secret"),
        "logs": ("logs", "Show or follow what workloads logged, on this machine or in a deployment"),
        "metrics": ("metrics", "Show what a deployment's workloads count and measure"),
        "traces": ("traces", "Show how commands, messages and requests went through a deployment"),
        "serve": ("serve", "Run the control plane"),
        "agent": ("agent", "Run the agent of a deployment, approve, read its log"),
        "token": ("token", "Enrol a customer, list or revoke tokens"),
        "key": ("key", "Make or rotate the vendor's signing keys"),
        "audit": ("audit", "Read the audit log and verify its chain"),
        "demo": ("demo", "Three customers on this machine, and three releases, one of them broken"),
    }
)


_EXTRAS: Mapping[str, str] = MappingProxyType({"serve": "control", "demo": "demo"})
"""What a verb needs, where it is more than `deploy`."""
_SETTINGS: Mapping[str, object] = MappingProxyType(
    {"auto_envvar_prefix": "ALIEN", "help_option_names": ["-h", "--help"]}
)


class _Verbs(click.Group):
    """Finds a verb by name and imports its file only then."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        try:
            module = importlib.import_module(f"alien_iac.cli.{VERBS[name][0]}")
        except ModuleNotFoundError as error:
            hint = f"pip install 'alien-iac[{_EXTRAS.get(name, 'deploy')}]'"
            raise Missing(f"`alien {name}` needs {error.name}, which is not installed", hint=hint) from error
        found: click.Command = getattr(module, name)
        return found

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])


@click.group(cls=_Verbs, context_settings=_SETTINGS)
@click.version_option(package_name="alien-iac", prog_name="alien")
def cli() -> None:
    """Run your product inside your customers' own cloud accounts, and release it to all of them in waves.

    Every command takes --json. Exit codes: 0 done, 2 wrong input, 3 not found, 4 conflict, 5 not allowed, 6 missing or
    unsupported, 7 no answer, 8 the update failed, 9 untrusted release, 10 the rollout failed, 11 the handler
    failed, 130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `alien` and end the process with its exit code. A traceback is shown for our own bugs only."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = cli.main(words, prog_name="alien", standalone_mode=False)
    except click.Abort:
        sys.exit(130)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except AlienError as error:
        _tell(error, as_json="--json" in words)
        sys.exit(error.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _tell(error: AlienError, *, as_json: bool) -> None:
    if as_json:
        render = importlib.import_module("alien_iac.cli.render")
        click.echo(render.as_json({"error": error.as_dict()}))
    else:
        click.echo(f"error: {error}", err=True)
