"""The command lines that the embedded engine understands: verbs, their flags, and a refusal for everything else.

A flag is known (its value is used), harmless (accepted: it asks for nothing that this engine would do otherwise), or
refused by name. Nothing is ignored in silence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alien_iac.engine import dialect
from alien_iac.errors import InvalidInput, Unsupported

Switches = Mapping[str, str]
"""Flag to kind: `bool`, `text`, `list` (may be repeated) or `maybe` (a text that may be left out)."""

_EVERYWHERE: Switches = {
    "non-interactive": "bool",
    "color": "text",
    "emoji": "bool",
    "logflow": "bool",
    "logtostderr": "bool",
    "verbose": "text",
    "disable-integrity-checking": "bool",
}
_STACK: Switches = {"stack": "text"}
_CONFIG: Switches = {**_STACK, "config-file": "text"}
_UPDATE: Switches = {
    **_CONFIG,
    "client": "text",
    "event-log": "text",
    "exec-kind": "text",
    "exec-agent": "text",
    "message": "text",
    "parallel": "text",
    "target": "list",
    "target-dependents": "bool",
    "exclude": "list",
    "exclude-dependents": "bool",
    "expect-no-changes": "bool",
    "run-program": "bool",
    "skip-config-validation": "bool",
    **dict.fromkeys(("yes", "debug", "diff", "suppress-progress", "skip-plugin-pre-install"), "bool"),
    **dict.fromkeys(("show-sames", "show-reads", "show-full-output", "show-replacement-steps", "urns"), "bool"),
    "suppress-permalink": "maybe",
}
_UP: Switches = {**_UPDATE, "refresh": "maybe", "replace": "list", "target-replace": "list", "show-secrets": "bool"}
_APPLY: Switches = {"skip-preview": "bool", "continue-on-error": "bool"}

_SHORT = {"s": "stack", "y": "yes", "j": "json", "f": "skip-preview", "m": "message", "t": "target", "p": "parallel"}
_SHORT |= {"r": "refresh", "a": "all", "d": "debug", "v": "verbose", "e": "emoji", "x": "exclude"}


@dataclass(frozen=True)
class Verb:
    """One command: its flags and how many words may follow it."""

    flags: Switches = field(default_factory=dict)
    least: int = 0
    most: int = 0


VERBS: Mapping[str, Verb] = {
    "up": Verb({**_UP, **_APPLY}),
    "preview": Verb(_UP),
    "refresh": Verb({**_UPDATE, **_APPLY, "preview-only": "bool", "clear-pending-creates": "bool"}),
    "destroy": Verb({**_UPDATE, **_APPLY, "preview-only": "bool", "refresh": "maybe", "remove": "bool"}),
    "cancel": Verb({**_STACK, "yes": "bool"}, most=1),
    "stack init": Verb({**_STACK, "secrets-provider": "text", "no-select": "bool", "yes": "bool"}, most=1),
    "stack select": Verb({**_STACK, "create": "bool", "secrets-provider": "text"}, most=1),
    "stack ls": Verb({"json": "bool", "all": "bool", "project": "text", "organization": "text", "tag": "text"}),
    "stack rm": Verb(
        {**_STACK, **dict.fromkeys(("yes", "force", "preserve-config", "remove-backups"), "bool")}, most=1
    ),
    "stack rename": Verb(_STACK, least=1, most=1),
    "stack output": Verb({**_STACK, "json": "bool", "show-secrets": "bool"}, most=1),
    "stack export": Verb({**_STACK, "show-secrets": "bool", "file": "text"}),
    "stack import": Verb({**_STACK, "file": "text", "force": "bool"}),
    "stack history": Verb(
        {**_STACK, "json": "bool", "show-secrets": "bool", "full-dates": "bool", "page": "text", "page-size": "text"}
    ),
    "stack tag get": Verb(_STACK, least=1, most=1),
    "stack tag ls": Verb({**_STACK, "json": "bool"}),
    "stack tag rm": Verb(_STACK, least=1, most=1),
    "stack tag set": Verb(_STACK, least=2, most=2),
    "state unprotect": Verb({**_STACK, "all": "bool", "yes": "bool"}, most=1000),
    "state delete": Verb(
        {**_STACK, **dict.fromkeys(("yes", "force", "target-dependents"), "bool")}, least=1, most=1000
    ),
    "config": Verb({**_CONFIG, "json": "bool", "show-secrets": "bool", "open": "bool"}),
    "config get": Verb({**_CONFIG, "json": "bool", "path": "bool", "open": "bool"}, least=1, most=1),
    "config set": Verb(
        {**_CONFIG, **dict.fromkeys(("path", "plaintext", "secret"), "bool"), "type": "text"}, least=2, most=2
    ),
    "config set-all": Verb({**_CONFIG, "path": "bool", "plaintext": "list", "secret": "list", "json": "text"}),
    "config rm": Verb({**_CONFIG, "path": "bool"}, least=1, most=1),
    "config rm-all": Verb({**_CONFIG, "path": "bool"}, least=1, most=1000),
    "config refresh": Verb({**_CONFIG, "force": "bool"}),
    "whoami": Verb({"json": "bool", "verbose": "bool"}),
    "version": Verb(),
    "plugin ls": Verb({"json": "bool", "project": "bool"}),
    "plugin install": Verb({"exact": "bool", "reinstall": "bool"}, least=3, most=3),
}

_ALIASES: Mapping[tuple[str, ...], str] = {
    ("update",): "up",
    ("pre",): "preview",
    ("down",): "destroy",
    ("dn",): "destroy",
    ("stack", "new"): "stack init",
    ("stack", "create"): "stack init",
    ("stack", "list"): "stack ls",
    ("stack", "remove"): "stack rm",
    ("stack", "delete"): "stack rm",
    ("stack", "hist"): "stack history",
    ("stack", "tag", "list"): "stack tag ls",
    ("stack", "tag", "remove"): "stack tag rm",
    ("stack", "tag", "delete"): "stack tag rm",
    ("state", "remove"): "state delete",
    ("state", "rm"): "state delete",
    ("config", "remove"): "config rm",
    ("config", "delete"): "config rm",
    ("config", "remove-all"): "config rm-all",
    ("config", "delete-all"): "config rm-all",
    ("plugin", "list"): "plugin ls",
}
_GROUPS = {"stack", "config", "state", "plugin"}


@dataclass(frozen=True)
class Call:
    """A command line, understood. `flags` has only those that were given."""

    verb: str
    words: tuple[str, ...]
    flags: Mapping[str, bool | str | tuple[str, ...]]

    def on(self, flag: str) -> bool:
        return self.flags.get(flag) is True

    def text(self, flag: str) -> str:
        value = self.flags.get(flag, "")
        return value if isinstance(value, str) else ""

    def texts(self, flag: str) -> tuple[str, ...]:
        value = self.flags.get(flag, ())
        return value if isinstance(value, tuple) else ()

    @property
    def stack(self) -> str:
        """The stack that the line names, by flag or where a word may name it."""
        named_by_word = self.verb in {"cancel", "stack init", "stack select", "stack rm"}
        if named_by_word and self.words and self.text("stack"):
            raise InvalidInput("only one of --stack or argument stack name may be specified, not both")
        return self.words[0] if named_by_word and self.words else self.text("stack")


def parse(args: Sequence[str]) -> Call:
    """The line without `pulumi`. Raises Unsupported for an unknown verb or flag, InvalidInput for a malformed line."""
    name, rest = _verb(args)
    verb = VERBS[name]
    known = {**_EVERYWHERE, **verb.flags}
    words: list[str] = []
    flags: dict[str, bool | str | tuple[str, ...]] = {}
    position = 0
    while position < len(rest):
        argument = rest[position]
        position += 1
        if argument == "--":
            words.extend(rest[position:])
            break
        if not argument.startswith("-") or argument == "-":
            words.append(argument)
            continue
        flag, inline = _split(argument)
        flag = "force" if flag == "skip-preview" and "force" in known else flag  # both are -f
        kind = known.get(flag)
        if kind is None:
            raise Unsupported(
                f"the embedded engine does not know the flag {argument.split('=')[0]} of `pulumi {name}`",
                hint=dialect.BEYOND,
            )
        value = inline
        if value is None and kind in {"text", "list"}:
            if position == len(rest):
                raise InvalidInput(f"flag needs an argument: --{flag}")
            value = rest[position]
            position += 1
        _keep(flags, flag, kind, value)
    if not verb.least <= len(words) <= verb.most:
        raise InvalidInput(f"`pulumi {name}` takes {_count(verb)}, and got {len(words)}")
    return Call(name, tuple(words), flags)


def _verb(args: Sequence[str]) -> tuple[str, list[str]]:
    rest = list(args)
    path: list[str] = []
    leading = 0  # flags that may stand before the verb
    while leading < len(rest) and rest[leading].startswith("-"):
        takes_value = _EVERYWHERE.get(_split(rest[leading])[0]) == "text" and "=" not in rest[leading]
        leading += 2 if takes_value else 1
    while leading < len(rest) and not rest[leading].startswith("-"):
        longer = (*path, rest[leading])
        if _name(longer) is None and " ".join(longer) not in {"stack tag", *_GROUPS}:
            break
        path.append(rest.pop(leading))
    name = _name(tuple(path))
    unknown_below = leading < len(rest) and not rest[leading].startswith("-") and name in _GROUPS
    if name is None or unknown_below:
        said = " ".join([*path, *([rest[leading]] if leading < len(rest) else [])]) or "(nothing)"
        raise Unsupported(f"the embedded engine does not know `pulumi {said}`", hint=dialect.BEYOND)
    return name, rest


def _name(path: tuple[str, ...]) -> str | None:
    name = _ALIASES.get(path, " ".join(path))
    return name if name in VERBS else None


def _split(argument: str) -> tuple[str, str | None]:
    name, equals, value = argument.partition("=")
    flag = name.removeprefix("--") if name.startswith("--") else _SHORT.get(name[1:], name)
    return flag, value if equals else None


def _keep(flags: dict[str, bool | str | tuple[str, ...]], flag: str, kind: str, value: str | None) -> None:
    if kind == "bool":
        if value not in {None, "true", "false"}:
            raise InvalidInput(f"invalid argument {value!r} for --{flag}: true or false")
        flags[flag] = value != "false"
    elif kind == "list":
        before = flags.get(flag, ())
        flags[flag] = (*(before if isinstance(before, tuple) else ()), value or "")
    else:
        flags[flag] = "true" if value is None else value


def _count(verb: Verb) -> str:
    return f"{verb.least} arguments" if verb.least == verb.most else f"{verb.least} to {verb.most} arguments"
