import inspect
from collections.abc import Mapping
from typing import Any

import pytest

import alien_iac
from alien_iac.checks import arguments
from alien_iac.models.arguments import ARGUMENTS, Computed, ContainerArguments, FunctionArguments, Kind
from alien_iac.models.written import Scale, Volume, Written, schedule

KINDS: tuple[Kind, ...] = ("Storage", "Kv", "Queue", "Secret", "Function", "Container")
TABLE: Mapping[str, Mapping[str, Any]] = {
    "Storage": {"versioned": True, "expire_after": None, "public_read": False},
    "Kv": {},
    "Queue": {"max_receives": 5, "retention": "4d"},
    "Secret": {"provided_by": "customer"},
    "Function": {
        "source": None,
        "image": None,
        "memory": "512Mi",
        "timeout": "3m",
        "concurrency": None,
        "architecture": None,
        "env": {},
        "triggers": (),
        "commands": False,
        "public": False,
        "domain": None,
        "network": None,
    },
    "Container": {
        "source": None,
        "image": None,
        "command": None,
        "port": None,
        "protocol": "http",
        "cpu": 0.5,
        "memory": "1Gi",
        "scale": None,
        "volumes": (),
        "health": None,
        "architecture": None,
        "env": {},
        "commands": False,
        "public": False,
        "domain": None,
        "network": None,
    },
}
"""Arguments and defaults are public."""
PLAIN = {"link", "transform", "opts", "unknown", "self", "name"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_component_takes_the_arguments_of_the_table(kind: Kind) -> None:
    fields = ARGUMENTS[kind].model_fields
    assert {name: field.default for name, field in fields.items()} == {**TABLE[kind], "frozen": False}


@pytest.mark.parametrize("kind", KINDS)
def test_a_constructor_says_the_same_as_its_model(kind: Kind) -> None:
    parameters = inspect.signature(getattr(alien_iac, kind).__init__).parameters
    written = {name: p.default for name, p in parameters.items() if name not in PLAIN}
    assert written.keys() == ARGUMENTS[kind].model_fields.keys()
    defaults = {name: {} if name == "env" else default for name, default in written.items()}
    assert defaults == {name: field.default for name, field in ARGUMENTS[kind].model_fields.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_argument_is_a_finding_with_the_nearest_name(kind: Kind) -> None:
    read = arguments.read(kind, "x", {"frozn": True})
    assert [(f.code, f.hint) for f in read.findings] == [("ARGUMENT_UNKNOWN", 'did you mean "frozen"?')]


def test_a_name_like_no_other_gets_the_list() -> None:
    (found,) = arguments.read("Queue", "jobs", {"zzz": 1}).findings
    assert found.hint == "allowed: frozen, link, max_receives, opts, retention, transform"


@pytest.mark.parametrize(
    ("kind", "name", "value", "said"),
    [
        ("Queue", "max_receives", 4, "max_receives: input should be greater than or equal to 5, not 4"),
        ("Queue", "max_receives", 101, "max_receives: input should be less than or equal to 100, not 101"),
        ("Queue", "max_receives", "7", "max_receives: input should be a valid integer, not '7'"),
        ("Secret", "provided_by", "me", "provided_by: input should be 'customer', 'vendor' or 'generated', not 'me'"),
        ("Storage", "versioned", "yes", "versioned: input should be a valid boolean, not 'yes'"),
        ("Function", "env", {"A": 4711}, "env.A: input should be a string, or an Output of one, not int"),
        ("Function", "source", 3, "source: input should be a valid string, not 3"),
        ("Container", "port", 70_000, "port: input should be less than or equal to 65535, not 70000"),
        ("Container", "cpu", "half", "cpu: input should be a valid number, not 'half'"),
        ("Container", "protocol", "udp", "protocol: input should be 'http' or 'tcp', not 'udp'"),
        ("Container", "command", "run it", "command: input should be a valid tuple, not 'run it'"),
        ("Container", "scale", Scale(min=0), "scale.min: input should be greater than or equal to 1, not 0"),
        ("Container", "volumes", [Volume("/a"), Volume("/b", shared=3)], "volumes[1].shared: "),  # type: ignore[arg-type]  # wrong on purpose
    ],
)
def test_a_wrong_value_is_named_with_its_place(kind: Kind, name: str, value: object, said: str) -> None:
    found = arguments.read(kind, "x", {name: value}).findings
    assert [f.code for f in found][:1] == ["ARGUMENT_INVALID"]
    assert found[0].message.startswith(said)


@pytest.mark.parametrize(
    ("kind", "given", "place"),
    [
        ("Storage", {"expire_after": "4 days"}, "expire_after"),
        ("Queue", {"retention": "4"}, "retention"),
        ("Function", {"memory": "512MB"}, "memory"),
        ("Function", {"timeout": "three"}, "timeout"),
        ("Container", {"volumes": [Volume("/data", size="big")]}, "volumes[0].size"),
    ],
)
def test_a_wrong_unit_is_named_with_its_place(kind: Kind, given: dict[str, Any], place: str) -> None:
    (found,) = arguments.read(kind, "x", given).findings
    assert found.code == "UNIT_INVALID"
    assert found.message.startswith(f"{place}: ")


def test_all_mistakes_of_a_component_come_at_once_and_the_rest_of_it_stands() -> None:
    read = arguments.read("Queue", "jobs", {"max_receives": 0, "retention": "soon", "frozen": True, "fifo": True})
    assert sorted(f.code for f in read.findings) == ["ARGUMENT_INVALID", "ARGUMENT_UNKNOWN", "UNIT_INVALID"]
    assert read.arguments.model_dump() == {"frozen": True, "max_receives": 5, "retention": "4d"}


def test_what_is_written_inside_an_argument_is_checked_with_it() -> None:
    read = arguments.read(
        "Function", "w", {"triggers": [schedule("0 3 * * 1", "Europe/Paris"), Written({"kind": "noon"})]}
    )
    assert [f.code for f in read.findings] == ["ARGUMENT_INVALID"]
    right = arguments.read("Function", "w", {"triggers": [schedule("0 3 * * 1", "Europe/Paris")]}).arguments
    assert isinstance(right, FunctionArguments)
    assert right.triggers[0].model_dump() == {"kind": "schedule", "cron": "0 3 * * 1", "timezone": "Europe/Paris"}


def test_an_unknown_word_inside_an_argument_is_a_finding() -> None:
    (found,) = arguments.read("Container", "c", {"volumes": [Written({"mount_path": "/a", "siz": "1Gi"})]}).findings
    assert (found.code, found.message) == ("ARGUMENT_UNKNOWN", "Container has no argument volumes[0].siz")


def test_values_that_only_the_update_knows_are_accepted_where_the_contract_says() -> None:
    given = {"image": Computed(), "env": {"A": Computed(), "B": "b"}}
    assert arguments.read("Function", "w", given).findings == ()
    assert arguments.read("Function", "w", {"memory": Computed()}).findings[0].code == "ARGUMENT_INVALID"


def test_what_differs_from_its_default_is_known() -> None:
    read = arguments.read("Container", "c", {"cpu": 0.5, "memory": "2Gi", "port": 80})
    assert read.given == {"memory", "port"}


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"port": 80}, "/health"),
        ({"port": 80, "health": "/up"}, "/up"),
        ({"port": 80, "protocol": "tcp"}, None),
        ({}, None),
    ],
)
def test_where_health_is_asked(given: dict[str, Any], path: str | None) -> None:
    assert ContainerArguments.model_validate(given).health_path == path


def test_a_volume_of_its_own_has_a_single_writer() -> None:
    def single(*volumes: Volume) -> bool:
        return ContainerArguments.model_validate({"volumes": list(volumes)}).single_writer

    assert single(Volume("/a"), Volume("/b", shared=True))
    assert not single(Volume("/a", shared=True))
    assert not single()
