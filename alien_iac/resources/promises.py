"""Outputs of a component that are handed out before it is built.

A stack program reads `api.url` while the plan is still to come. Such an Output is kept once the component is built, or
broken with the reason why it never will be: one that stayed open would hold Pulumi's runtime for ever.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pulumi


class Promises:
    """Named Outputs of one component."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[pulumi.Output[Any], Callable[[pulumi.Output[Any]], None]]] = {}
        self._kept: dict[str, Any] | None = None
        self._broken: BaseException | None = None

    @property
    def is_kept(self) -> bool:
        return self._kept is not None

    def get(self, name: str) -> pulumi.Output[Any]:
        """The Output of this name; None is its value where the built component has none."""
        if self._kept is not None:
            return pulumi.Output.from_input(self._kept.get(name))
        if self._broken is not None:
            return _broken(self._broken)
        if name not in self._open:
            self._open[name] = pulumi.deferred_output()
        return self._open[name][0]

    def keep(self, values: Mapping[str, Any]) -> None:
        """The component is built: every Output has its value."""
        self._kept = dict(values)
        for name, (_, resolve) in self._open.items():
            resolve(pulumi.Output.from_input(values.get(name)))

    def refuse(self, reason: BaseException) -> None:
        """The component will not be built. Nothing happens where it is built already."""
        if self._kept is not None:
            return
        self._broken = reason
        for _, resolve in self._open.values():
            resolve(_broken(reason))


def _broken(reason: BaseException) -> pulumi.Output[Any]:
    future: asyncio.Future[Any] = asyncio.get_event_loop().create_future()
    future.set_exception(reason)
    return pulumi.Output.from_input(future)
