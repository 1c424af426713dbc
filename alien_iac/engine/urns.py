"""URNs: how a resource is named inside a Pulumi stack, how aliases name it otherwise, and how targets match it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

ROOT = "pulumi:pulumi:Stack"
PROVIDERS = "pulumi:providers:"


def qualified_type(urn: str) -> str:
    """The type with the types of all parents before it, joined by `$`."""
    return urn.split("::")[2]


def type_of(urn: str) -> str:
    """The resource's own type token."""
    return qualified_type(urn).rsplit("$", 1)[-1]


def name_of(urn: str) -> str:
    """The resource's name, which may itself hold `::`."""
    return urn.split("::", 3)[3]


def is_provider(type_token: str) -> bool:
    """Whether the type is that of a provider resource."""
    return type_token.startswith(PROVIDERS)


def is_default_provider(urn: str) -> bool:
    """Whether the engine made this provider by itself; such resources are never counted."""
    name = name_of(urn)
    return is_provider(type_of(urn)) and (name == "default" or name.startswith("default_"))


def package_of(type_token: str) -> str:
    """The package whose plugin serves a type: `probe` for `probe:index:Thing` and for `pulumi:providers:probe`."""
    return type_token.removeprefix(PROVIDERS) if is_provider(type_token) else type_token.split(":", 1)[0]


def reference(urn: str, identity: str) -> str:
    """How a resource names its provider."""
    return f"{urn}::{identity}"


def referred(ref: str) -> tuple[str, str]:
    """URN and id out of a provider reference."""
    urn, _, identity = ref.rpartition("::")
    return urn, identity


@dataclass(frozen=True)
class Alias:
    """A name that a resource had before: a whole URN, or the parts that were different."""

    urn: str = ""
    name: str = ""
    type: str = ""
    stack: str = ""
    project: str = ""
    parent: str = ""
    no_parent: bool = False


@dataclass(frozen=True)
class Namer:
    """Makes the URNs of one Pulumi stack."""

    stack: str
    project: str

    def urn(self, parent: str, type_token: str, name: str) -> str:
        """The URN of a resource under a parent's URN (empty: under none)."""
        inside = qualified_type(parent) if parent else ""
        chain = f"{inside}${type_token}" if inside and inside != ROOT else type_token
        return f"urn:pulumi:{self.stack}::{self.project}::{chain}::{name}"

    def aliases(self, urn: str, parent: str, given: Iterable[Alias], renamed: dict[str, str]) -> list[str]:
        """Every URN under which the resource may be in the state. `renamed`: new URN to the alias that matched."""
        named = [(alias, self._collapse(urn, parent, alias, renamed)) for alias in given]
        found = dict.fromkeys(old for _, old in named)
        if parent in renamed:
            own = [(type_of(urn), name_of(urn)), *((type_of(old), name_of(old)) for _, old in named)]
            found |= dict.fromkeys(self._inherited(t, n, parent, renamed[parent]) for t, n in own)
        return list(found)

    def _collapse(self, urn: str, parent: str, alias: Alias, renamed: dict[str, str]) -> str:
        if alias.urn:
            return alias.urn
        above = renamed.get(alias.parent, alias.parent) if alias.parent else parent
        namer = Namer(alias.stack or self.stack, alias.project or self.project)
        return namer.urn("" if alias.no_parent else above, alias.type or type_of(urn), alias.name or name_of(urn))

    def _inherited(self, type_token: str, name: str, parent: str, parent_alias: str) -> str:
        """A child whose name starts with its parent's name had the parent's old name before it, too."""
        before = name_of(parent)
        old = name_of(parent_alias) + name.removeprefix(before) if name.startswith(before) else name
        return self.urn(parent_alias, type_token, old)


@dataclass(frozen=True)
class Targets:
    """The URNs that `--target`, `--exclude` or `--replace` name; `*` matches inside a part, `**` everything."""

    patterns: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def __contains__(self, urn: str) -> bool:
        return any(pattern == urn or ("*" in pattern and _glob(pattern).fullmatch(urn)) for pattern in self.patterns)

    def literals(self) -> list[str]:
        """Those that name exactly one resource."""
        return [pattern for pattern in self.patterns if "*" not in pattern]


def _glob(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*)", pattern)
    return re.compile("".join({"**": ".*", "*": "[^:]*"}.get(part, re.escape(part)) for part in parts))
