"""What a state looks like: a tone, which is a colour and an icon, and always its word beside them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

Tone = Literal["good", "busy", "warn", "bad", "idle"]

_TONES: Mapping[Tone, frozenset[str]] = {
    "good": frozenset({"healthy", "running", "succeeded", "unchanged", "ok", "done", "current"}),
    "busy": frozenset({
        "updating", "starting", "verifying", "retrying", "returning", "baking", "dispatched", "pending_upload",
        "in progress", "rolling out",
    }),
    "warn": frozenset({
        "waiting", "waiting for approval", "paused", "unreachable", "halting", "aborting", "returned", "stale",
        "expired", "pinned", "warn", "warning",
    }),
    "bad": frozenset({"unhealthy", "failed", "return-failed", "halted", "aborted", "recalled", "error", "fatal"}),
}  # fmt: skip


_OF_KIND: Mapping[tuple[str, str], Tone] = {
    ("rollout", "running"): "busy",  # a deployment that is running rests
    ("target", "returned"): "bad",  # one deployment went back because it failed; a rollout, because somebody said so
}


def tone(word: str, kind: str = "") -> Tone:
    """The tone of a word. Everything that neither moves nor warns is idle. `kind`: what the word is said of."""
    word = word.lower()
    if (kind, word) in _OF_KIND:
        return _OF_KIND[kind, word]
    return next((name for name, words in _TONES.items() if word in words), "idle")


_STEPS = (
    (timedelta(days=1), "d"),
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "min"),
    (timedelta(seconds=1), "s"),
)


def ago(at: datetime, now: datetime) -> str:
    """How long ago, in its largest unit: `3 min ago`. What lies ahead: `in 3 min`."""
    passed = now - at
    told = span(abs(passed))
    if not told:
        return "just now"
    return f"{told} ago" if passed >= timedelta() else f"in {told}"


def span(length: timedelta) -> str:
    """A length of time in its largest unit; empty below one second."""
    return next((f"{length // step} {name}" for step, name in _STEPS if length >= step), "")


def milliseconds(ms: float) -> str:
    """Such as `12.3 ms`, `4.1 s`, `3 min`."""
    if ms < 1_000:  # noqa: PLR2004 - a second
        return f"{ms:.3g} ms" if ms < 100 else f"{ms:.0f} ms"  # noqa: PLR2004 - three digits are enough
    return f"{ms / 1000:.2f} s" if ms < 60_000 else span(timedelta(milliseconds=ms))  # noqa: PLR2004 - a minute


_SIZES = ((1e9, " G"), (1e6, " M"), (1e4, " k"))


def number(value: float) -> str:
    """A measured number in at most four digits: `67.77`, `19.5 k`."""
    size, name = next(((size, name) for size, name in _SIZES if abs(value) >= size), (1.0, ""))
    if size == 1.0:
        return f"{value:.4g}"
    return f"{value / (1e3 if name == ' k' else size):.3g}{name}"


def severity(number: int) -> str:
    """The name of an OTLP severity."""
    names = ("trace", "debug", "info", "warn", "error", "fatal")
    return names[min((number - 1) // 4, 5)] if number else "log"
