"""The live picture of a rollout: a bar a wave on a terminal, a line a change elsewhere."""

from collections.abc import Callable, Iterator

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from alien_iac.cli import remote
from alien_iac.protocol.api import Rollout, RolloutTarget

GOOD = frozenset({"succeeded", "unchanged"})
_COLOURS = {"succeeded": "green", "unchanged": "green", "failed": "red", "returned": "red", "return-failed": "red"}


def ended_well(one: Rollout) -> bool:
    """Whether every deployment that could have the release has it."""
    return one.state == "succeeded"


def follow(control: remote.Remote, rollout_id: str, *, quiet: bool = False) -> Rollout:
    """Show a rollout until it has ended, and return it as it ended."""
    seen = versions(control, rollout_id)
    if quiet:
        return _last(seen, lambda _: None)
    if not Console().is_terminal:
        return _last(seen, lines(click.echo))
    with Live(refresh_per_second=8) as live:
        return _last(seen, lambda one: live.update(picture(one)))


def versions(control: remote.Remote, rollout_id: str) -> Iterator[Rollout]:
    """A rollout as it is now, and again each time it has changed, until it has ended."""
    after = -1
    while True:
        one = control.get(Rollout, f"/rollouts/{rollout_id}", wait=remote.HOLD_S, after=after)
        if one.version != after:
            yield one
        after = one.version
        if one.ended_at is not None:
            return


def _last(seen: Iterator[Rollout], tell: Callable[[Rollout], object]) -> Rollout:
    one = next(seen)
    tell(one)
    for one in seen:
        tell(one)
    return one


def lines(echo: Callable[[str], object]) -> Callable[[Rollout], None]:
    """A teller that prints what changed since it was last called."""
    told: dict[str, str] = {}

    def tell(one: Rollout) -> None:
        for target in one.targets:
            if told.get(target.deployment_id) != target.state:
                told[target.deployment_id] = target.state
                echo(f"{target.wave}: {target.customer}: {target.state}" + _says(target))
        if told.get("") != one.state:
            told[""] = one.state
            echo(f"rollout of {one.release}: {one.state}")

    return tell


def _says(target: RolloutTarget) -> str:
    return f" - {target.message}" if target.message else ""


def picture(one: Rollout) -> Table:
    """A bar for each wave, with the customers that are not done by name."""
    grid = Table(title=f"{one.release}: {one.state}", title_justify="left", show_header=False, box=None)
    for wave in dict.fromkeys(t.wave for t in one.targets):
        targets = [t for t in one.targets if t.wave == wave]
        done = sum(t.state in GOOD for t in targets)
        width = 24
        filled = round(width * done / len(targets))
        bar = f"[green]{'━' * filled}[/][dim]{'━' * (width - filled)}[/]"
        rest = "  ".join(
            f"[{_COLOURS.get(t.state, 'yellow')}]{t.customer} {t.state}[/]" for t in targets if t.state not in GOOD
        )
        grid.add_row(wave, bar, f"{done}/{len(targets)}", rest)
    return grid
