"""The Pulumi command that needs no Pulumi CLI: it goes where the Automation API takes a `PulumiCommand`."""

import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from alien_iac.engine import arguments, dialect, edits, secrets, settings, stacks, update, updates
from alien_iac.engine.arguments import Call
from alien_iac.engine.session import Session
from alien_iac.errors import AlienError, Unsupported

Lines = Callable[[str], Any]
Handler = Callable[[Session, Call], None]

_HANDLERS: Mapping[str, Handler] = {
    "cancel": updates.cancel,
    "stack init": stacks.init,
    "stack select": stacks.select,
    "stack ls": stacks.ls,
    "stack rm": stacks.rm,
    "stack rename": stacks.rename_stack,
    "stack output": stacks.output,
    "stack export": stacks.export,
    "stack import": stacks.import_,
    "stack history": stacks.show_history,
    "stack tag get": stacks.tag,
    "stack tag ls": stacks.tag,
    "stack tag rm": stacks.tag,
    "stack tag set": stacks.tag,
    "state unprotect": edits.unprotect,
    "state delete": edits.delete,
    "config": settings.show,
    "config get": settings.get,
    "config set": settings.set_,
    "config set-all": settings.set_all,
    "config rm": settings.rm,
    "config rm-all": settings.rm,
    "config refresh": settings.refresh,
    "whoami": settings.whoami,
    "version": settings.version,
    "plugin ls": settings.plugins,
    "plugin install": settings.install_plugin,
}


class EmbeddedPulumi(PulumiCommand):
    """Runs every command of the Automation API in this process, on the same files as the CLI.

    One object may serve many workspaces and threads; it keeps the keys that it derived from passphrases in its keyring,
    which several objects may share.
    """

    def __init__(self, runner: updates.Runner = update.run, keyring: secrets.Keyring | None = None) -> None:
        self.command = "pulumi"
        self.version = VersionInfo.parse(dialect.VERSION)
        self._runner = runner
        self._keyring = keyring or secrets.Keyring()

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Lines | None = None,
        on_error: Lines | None = None,
    ) -> CommandResult:
        """Run one command line (without `pulumi`). Raises the SDK's CommandError, or one of its kinds, on failure."""
        out, err = _Text(on_output), _Text(on_error)
        session = self._session(cwd, additional_env, out, err)
        try:
            self._handle(session, arguments.parse(args))
        except (AlienError, OSError) as error:
            if text := str(error):
                err(f"error: {text}")
            result = CommandResult(stdout=out.text(), stderr=err.text(), code=_code(error))
            raise create_command_error(result) from error
        return CommandResult(stdout=out.text(), stderr=err.text(), code=0)

    def unlock(self, args: list[str], cwd: str, additional_env: Mapping[str, str]) -> None:
        """Derive the key that a command line will need, which may be done while something else is waited for."""
        with contextlib.suppress(AlienError, OSError):  # the command itself will say what is wrong
            session = self._session(cwd, additional_env, _Text(None), _Text(None))
            call = arguments.parse(args)
            config = session.config(session.stack(call), call)
            if config.salt:
                session.opening(config)

    def _session(self, cwd: str, additional_env: Mapping[str, str], out: Lines, err: Lines) -> Session:
        env = {**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"}
        for name in ("PULUMI_HOME", "PULUMI_CONFIG_PASSPHRASE_FILE"):
            if env.get(name):
                env[name] = str(Path(cwd, env[name]))  # as a process started there would see it
        return Session(Path(cwd).resolve(), env, self._keyring, out, err)

    def _handle(self, session: Session, call: Call) -> None:
        if handler := _HANDLERS.get(call.verb):
            handler(session, call)
        else:
            updates.run(session, call, self._runner)


class _Text:
    """Lines as they come: passed on at once, and kept."""

    def __init__(self, listener: Lines | None) -> None:
        self._listener = listener
        self._lines: list[str] = []
        self._guard = threading.Lock()

    def __call__(self, text: str) -> None:
        for line in text.split("\n"):
            stripped = line.rstrip()
            with self._guard:
                self._lines.append(stripped)
            if self._listener:
                self._listener(stripped)

    def text(self) -> str:
        with self._guard:
            return "\n".join(self._lines)


def _code(error: Exception) -> int:
    """The CLI's exit code: 6 where there is no such stack, 2 for a line that asks for what is not there, else 1."""
    if isinstance(error, Unsupported):
        return 2
    code = error.context.get("pulumi_code", 1) if isinstance(error, AlienError) else 1
    return code if isinstance(code, int) else 1
