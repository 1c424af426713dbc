"""What an update says of itself on the way, as plain data, and how its failures read."""

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import dropwhile
from typing import Literal

from alien_iac import errors

COMPONENTS = "alien:index:"
UNCHANGED = frozenset({"same", "read", "refresh"})
CHECKS = re.compile(r"the stack has \d+ error\(s\), and nothing was created")
_CUT_OFF = re.compile(r"Socket closed|failed to connect to all addresses|code = Unavailable")
"""What gRPC says, in Python and in the CLI's Go, when the other process is gone."""
_COLOUR = re.compile(r"<\{%[^%]*%\}>")
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
_NOT_THE_PROGRAM = re.compile(r"site-packages|/alien_iac/|<frozen|/lib/python3")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that happened: an operation on a resource began, ended or failed, or something was said."""

    kind: Literal["begun", "done", "failed", "said"]
    operation: str = ""
    """`create`, `update`, `delete`, `same`, `replace`, …; empty where something was said."""
    urn: str = ""
    type: str = ""
    parent: str = ""
    """URN of the resource that this one is a child of."""
    text: str = ""
    severity: str = ""
    """Of what was said: `error`, `warning`, `info`, `debug`."""

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]


Observer = Callable[[Step], object]


def quiet(_: object) -> None:
    """Takes a step, or a line, and says nothing."""


class Journal:
    """The steps of one update, each passed on as it comes. Steps come from a thread of the Automation API."""

    def __init__(self, observe: Observer) -> None:
        self._observe = observe
        self._steps: list[Step] = []
        self._guard = threading.Lock()

    def add(self, step: Step) -> None:
        with self._guard:
            self._steps.append(step)
        self._observe(step)

    def messages(self) -> tuple[str, ...]:
        """The warnings and notes, each once."""
        return _once(s.text for s in self._said("warning", "info"))

    def failures(self) -> tuple[str, ...]:
        """What went wrong: each thing once, with the resource that it happened to."""
        return _once(_failure(s) for s in self._said("error") if _failure(s))

    def packages(self) -> frozenset[str]:
        """The Pulumi packages of the resources that were touched; the engine's own `pulumi` is none."""
        with self._guard:
            types = {s.type for s in self._steps if s.type}
        named = {t.removeprefix("pulumi:providers:") for t in types if t.startswith("pulumi:providers:")}
        return frozenset((named | {t.partition(":")[0] for t in types}) - {"pulumi"})

    def touched(self) -> frozenset[str]:
        """The ids of our components that were there already and of which something changes."""
        with self._guard:
            resources = {s.urn: s for s in self._steps if s.urn and s.operation}
        changed = [s for s in resources.values() if s.operation not in UNCHANGED]
        owners = (_component(step, resources) for step in changed)
        return frozenset(owner.name for owner in owners if owner and owner.operation != "create")

    def _said(self, *severities: str) -> list[Step]:
        with self._guard:
            return [
                s for s in self._steps if s.kind == "said" and any(s.severity.startswith(word) for word in severities)
            ]


def _component(step: Step, resources: Mapping[str, Step]) -> Step | None:
    """The component of ours that a resource belongs to, or is."""
    owner: Step | None = step
    while owner and not owner.type.startswith(COMPONENTS):
        owner = resources.get(owner.parent)
    return owner


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def _failure(step: Step) -> str:
    text = without_traceback(step.text)
    if not text or text in {"update failed", "preview failed"}:
        return ""
    about_program = (
        not step.urn or step.type == "pulumi:pulumi:Stack" or step.urn.split("::")[2:3] == ["pulumi:pulumi:Stack"]
    )
    return text if about_program or text.startswith(step.name) else f"{step.name}: {text}"


def without_traceback(text: str) -> str:
    """A program's error with the place in the program where it arose, instead of its traceback."""
    said, _, trace = _COLOUR.sub("", text).strip().partition("Traceback (most recent call last)")
    frames = list(_FRAME.finditer(trace))
    if not frames:
        return said.strip()
    lines = trace[frames[-1].end() :].splitlines()[1:]
    message = "\n".join(_from_first_unindented(lines)).strip()
    if found := CHECKS.search(message):
        return message[found.start() :]
    theirs = [f for f in frames if not _NOT_THE_PROGRAM.search(f["file"])]
    place = f" ({theirs[-1]['file']}, line {theirs[-1]['line']})" if theirs else ""
    return f"the stack program raised {message}{place}"


def _from_first_unindented(lines: list[str]) -> list[str]:
    """The lines from the exception on: what stands before them are source lines of the last frame."""
    return list(dropwhile(lambda line: not line or line.startswith(" "), lines))


def stderr_lines(text: str) -> tuple[str, ...]:
    """What an engine said on stderr when no event told more."""
    stderr = text.rpartition("stderr:")[2].strip()
    return _once(line.removeprefix("error: ").strip() for line in stderr.splitlines())


def as_error(stack: str, failures: Iterable[str]) -> errors.AlienError:
    """The error that an update ends with. A refusal by the stack program's checks changed nothing, and says so."""
    found = tuple(failures)
    if refusals := [text for text in found if CHECKS.match(text)]:
        return errors.InvalidInput(refusals[0])
    reasons = "\n".join(f"  {line}" for line in found) or "  the engine gave no reason"
    if any(_CUT_OFF.search(text) for text in found):
        return errors.Unavailable(
            f"the update of the Pulumi stack {stack} was cut off:\n{reasons}",
            hint="a plugin's process ended in the middle; what was done is recorded; run it again",
        )
    return errors.UpdateFailed(
        f"the update of the Pulumi stack {stack} failed:\n{reasons}",
        hint="what was done is recorded; mend the cause and run it again",
    )
