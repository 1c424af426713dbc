"""Programs over the probe provider, and the scenarios whose runs on the CLI are recorded beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi import Alias, ComponentResource, CustomResource, Output, ResourceOptions

Program = Callable[[], None]
Json = Any


class Thing(CustomResource):
    """The probe's one resource. Its version names the plugin, as every SDK's does."""

    serial: Output[int]
    token: Output[str]
    value: Output[str]

    def __init__(self, name: str, opts: ResourceOptions | None = None, **props: Json) -> None:
        absent = {"serial": None} if "token" in props else {"serial": None, "token": None}
        merged = ResourceOptions.merge(ResourceOptions(version="1.0.0"), opts)
        super().__init__("probe:index:Thing", name, {**props, **absent}, merged)


class Group(ComponentResource):
    """A component with Things inside."""

    def __init__(self, name: str, size: int, opts: ResourceOptions | None = None) -> None:
        super().__init__("probe:index:Group", name, None, opts)
        inside = ResourceOptions(parent=self)
        self.things = [Thing(f"{name}-{i}", inside, value=str(i)) for i in range(size)]
        self.register_outputs({"first": self.things[0].serial})


def things(*specs: tuple[str, dict[str, Any]], **exports: str) -> Program:
    """Independent Things; exports name the Things whose serial is a stack output."""

    def program() -> None:
        made = {name: Thing(name, **props) for name, props in specs}
        for key, name in exports.items():
            pulumi.export(key, made[name].serial)

    return program


def chain(a: str, b: str, c: str) -> Program:
    """c needs b by dependsOn, b needs a by its output."""

    def program() -> None:
        first = Thing("a", value=a)
        second = Thing("b", value=first.serial.apply(lambda serial: f"{b}{serial}"))
        Thing("c", ResourceOptions(depends_on=[second]), value=c)

    return program


def group(size: int) -> Program:
    return lambda: pulumi.export("first", Group("g", size).things[0].serial)


def secrets(token: str) -> Program:
    def program() -> None:
        thing = Thing("s", value="v", token=Output.secret(token))
        pulumi.export("token", thing.token)
        pulumi.export("config", pulumi.Config("probe-test").require_secret("password"))
        pulumi.export("open", "plain")

    return program


def options(value: str, *, protect: bool = False, retain: bool = False, ignore: bool = False) -> Program:
    def program() -> None:
        ignored = ["value"] if ignore else None
        Thing("o", ResourceOptions(protect=protect, retain_on_delete=retain, ignore_changes=ignored), value=value)

    return program


def renamed(name: str, *before: str) -> Program:
    def program() -> None:
        Thing(name, ResourceOptions(aliases=[Alias(name=old) for old in before]), value="v")

    return program


def empty() -> None:
    """Want nothing."""


def raising() -> None:
    Thing("before", value="v")
    message = "the program breaks"
    raise RuntimeError(message)


def twice() -> None:
    Thing("same", value="1")
    Thing("same", value="2")


@dataclass(frozen=True)
class Step:
    """One operation on a stack."""

    do: str
    program: Program
    flags: dict[str, Any] = field(default_factory=dict)


def up(program: Program, **flags: Json) -> Step:
    return Step("up", program, flags)


def preview(program: Program) -> Step:
    return Step("preview", program)


DESTROY = Step("destroy", empty)
A, B = ("a", {"value": "1"}), ("b", {"value": "2"})
A_URN = "urn:pulumi:s::probe-test::probe:index:Thing::a"


def one(**props: str) -> Program:
    return things(("a", {"value": "1", **props}))


SCENARIOS: dict[str, Sequence[Step]] = {
    "create-same-update-delete": [
        up(things(A, B, out="a")),
        up(things(A, B, out="a")),
        up(things(("a", {"value": "9"}), B, out="a")),
        up(things(B)),
        DESTROY,
    ],
    "preview-then-up": [
        preview(things(A, out="a")),
        up(things(A, out="a")),
        preview(things(("a", {"value": "2"}), out="a")),
        preview(things(("a", {"value": "1", "kind": "k"}), out="a")),
    ],
    "dependencies": [up(chain("1", "2", "3")), up(chain("x", "2", "3")), DESTROY],
    "component": [up(group(3)), up(group(1)), DESTROY],
    "replace-create-first": [up(one(kind="x")), up(one(kind="y"))],
    "replace-delete-first": [up(one(slot="x")), up(one(slot="y"))],
    "secrets": [up(secrets("hunter2")), up(secrets("hunter3"))],
    "protect": [up(options("1", protect=True)), up(empty), DESTROY, up(options("1")), DESTROY],
    "retain": [up(options("1", retain=True)), up(empty)],
    "ignore-changes": [up(options("1", ignore=True)), up(options("2", ignore=True)), up(options("2"))],
    "alias": [up(renamed("old")), up(renamed("new", "old")), up(renamed("new"))],
    "create-fails": [
        up(things(A, ("f", {"value": "1", "fail": "create"}))),
        up(things(A, ("f", {"value": "1"}))),
    ],
    "update-fails": [up(one()), up(things(("a", {"value": "2", "fail": "update"}))), up(things(("a", {"value": "3"})))],
    "delete-fails": [up(things(("a", {"value": "1", "fail": "delete"}), B)), up(things(B))],
    "initialisation-fails": [
        up(things(("h", {"value": "1", "fail": "half"}))),
        up(things(("h", {"value": "1", "fail": "half"}))),
    ],
    "check-fails": [up(things(A, ("x", {"value": "bad"})))],
    "program-raises": [up(raising)],
    "duplicate-urn": [up(twice)],
    "expect-no-changes": [up(one()), up(one(), expect_no_changes=True), up(things(B), expect_no_changes=True)],
    "target": [up(things(A, B)), up(things(("a", {"value": "7"}), ("b", {"value": "8"})), target=[A_URN])],
    "refresh": [up(things(A, B)), Step("refresh", things(A, B)), up(things(A, B), refresh=True)],
}
