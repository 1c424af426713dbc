"""Each finding of the catalogue, made by the smallest stack program that has it."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

import alien_iac as alien
from alien_iac.checks import stack as checks
from alien_iac.checks.catalogue import CATALOGUE
from alien_iac.errors import InvalidInput
from alien_iac.models.arguments import ARGUMENTS
from alien_iac.models.config import DeploymentConfig
from alien_iac.models.declared import Declared, Stack, Support
from alien_iac.models.triggers import QueueTrigger
from alien_iac.testing.recording import Artifact, Recording, config_for, package, record, surroundings

Program = Callable[[], Any]
RIGHT = config_for("local")
IMAGE = "docker.io/library/redis@sha256:" + "0" * 64


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").touch()
    (tmp_path / "empty").mkdir()
    return tmp_path


def check(folder: Path, program: Program, **config: Any) -> Recording:
    return record(program, surroundings(folder, RIGHT | {f"alien:{k}": v for k, v in config.items()}))


def triggered(**arguments: Any) -> None:
    alien.Function("w", source="app", **arguments)


def shared_queue() -> None:
    jobs = alien.Queue("jobs")
    alien.Function("one", source="app", triggers=[jobs.on_message()])
    alien.Container("two", source="app", link=[jobs.consumer()])


def twice_triggered() -> None:
    jobs = alien.Queue("jobs")
    triggered(triggers=[jobs.on_message(), jobs.on_message()])


def twice_linked() -> None:
    files = alien.Storage("files")
    triggered(link=[files, files.reader()])


def call_without_port() -> None:
    triggered(link=[alien.Container("c", source="app")])


def linked_as_another_kind() -> None:
    alien.Kv("kv")
    triggered(link=[alien.Link(resource="kv", kind="Queue", verb="send")])


def linked_to_itself() -> None:
    function = alien.Function("w", source="app")
    function.link(function)


def changed(role: str) -> None:
    alien.Storage("files", transform={role: lambda props, opts: (props, opts)})


REFUSED: dict[str, Program] = {
    "ARGUMENT_CONFLICT": lambda: triggered(domain="app.example.com"),
    "ARGUMENT_INVALID": lambda: alien.Queue("jobs", max_receives=1),
    "ARGUMENT_MISSING": lambda: alien.Function("w"),
    "ARGUMENT_UNKNOWN": lambda: alien.Storage("files", colour="blue"),  # type: ignore[arg-type]  # wrong on purpose
    "ENV_INVALID": lambda: triggered(env={"a b": "x"}),
    "ENV_RESERVED": lambda: triggered(env={"ALIEN_RELEASE": "x"}),
    "HEALTH_INVALID": lambda: alien.Container("c", source="app", port=80, health="health"),
    "ID_DUPLICATE": lambda: (alien.Storage("x"), alien.Queue("x")),
    "ID_INVALID": lambda: alien.Storage("My_Files"),
    "ID_RESERVED": lambda: alien.Function("queue-broker", source="app"),
    "ID_TOO_LONG": lambda: alien.Storage("x" * 64),
    "IMAGE_NEEDS_DOCKER": lambda: alien.Container("c", image=IMAGE, port=80),
    "LINK_DATA": lambda: alien.Storage("files", link=[alien.Kv("kv")]),
    "LINK_INVALID": lambda: triggered(link=["files"]),
    "LINK_NO_PORT": call_without_port,
    "LINK_SELF": linked_to_itself,
    "LINK_TWICE": twice_linked,
    "LINK_UNKNOWN": lambda: triggered(link=[alien.Link(resource="gone", kind="Kv", verb="read")]),
    "OUTPUT_RESERVED": lambda: (alien.Storage("files"), pulumi.export("alien", 1)),
    "QUEUE_CONSUMERS": shared_queue,
    "RANGE_INVALID": lambda: alien.Queue("jobs", retention="8d"),
    "SCHEDULE_INVALID": lambda: triggered(triggers=[alien.schedule("0 0 30 2 *")]),
    "SOURCE_MISSING": lambda: alien.Function("w", source="nowhere"),
    "SOURCE_NO_MAIN": lambda: alien.Function("w", source="empty"),
    "TRANSFORM_UNKNOWN": lambda: changed("bucket"),
    "TRIGGER_DUPLICATE": twice_triggered,
    "TRIGGER_UNKNOWN": lambda: triggered(triggers=[QueueTrigger(resource="gone")]),
    "UNIT_INVALID": lambda: triggered(memory="much"),
    "VOLUME_INVALID": lambda: alien.Container("c", source="app", volumes=[alien.Volume("data")]),
    "VOLUME_SCALE": lambda: alien.Container(
        "c", source="app", volumes=[alien.Volume("/data")], scale=alien.Scale(max=2)
    ),
}
CONFIG: dict[str, dict[str, str | None]] = {
    "CONFIG_INVALID": {"retain": "x"},
    "CONFIG_MISSING": {"prefix": None},
    "CONFIG_UNKNOWN": {"colour": "blue"},
}
ELSEWHERE = {
    "COMMANDS_TOKEN": "test_commands_where_no_agent_is",
    "COMMANDS_UNREACHED": "test_commands_where_no_agent_is",
    "ARTIFACT_LARGE": "test_clouds.py",
    "ARTIFACT_TOO_LARGE": "test_clouds.py",
    "IGNORED": "test_what_local_has_no_use_for_is_told_and_built",
    "IMAGE_LOOPBACK": "test_an_image_does_not_reach_loopback",
    "IMAGE_NO_DOCKERFILE": "test_image_folders.py",
    "LATE": "test_planning.py",
    "PACKAGING_FAILED": "test_packaging_errors_come_with_the_others",
    "PLATFORM_MISSING": "test_a_platform_that_is_not_installed",
    "TRIGGER_NOT_LINKED": "test_hearing_of_objects_without_reading_them_is_a_warning",
    "UNSUPPORTED": "test_what_a_platform_lacks_is_refused",
}


VARIANTS: list[tuple[str, Program]] = [
    ("RANGE_INVALID", lambda: triggered(timeout="2h")),
    ("RANGE_INVALID", lambda: triggered(memory="64Mi")),
    ("RANGE_INVALID", lambda: alien.Container("c", source="app", memory="64Gi")),
    ("RANGE_INVALID", lambda: alien.Container("c", source="app", scale=alien.Scale(min=3, max=2))),
    ("RANGE_INVALID", lambda: alien.Queue("jobs", retention="59s")),
    ("SCHEDULE_INVALID", lambda: triggered(triggers=[alien.schedule("* * * *")])),
    ("SCHEDULE_INVALID", lambda: triggered(triggers=[alien.schedule("0 0 3 * * *")])),
    ("SCHEDULE_INVALID", lambda: triggered(triggers=[alien.schedule("61 * * * *")])),
    ("SCHEDULE_INVALID", lambda: triggered(triggers=[alien.schedule("0 0 L * *")])),
    ("SCHEDULE_INVALID", lambda: triggered(triggers=[alien.schedule("0 3 * * *", timezone="Mars/Olympus")])),
    ("SCHEDULE_INVALID", lambda: triggered(triggers=[alien.schedule("0 3 * * *", timezone="")])),
    ("VOLUME_INVALID", lambda: alien.Container("c", source="app", volumes=[alien.Volume("/")])),
    ("VOLUME_INVALID", lambda: alien.Container("c", source="app", volumes=[alien.Volume("/a/../b")])),
    (
        "VOLUME_INVALID",
        lambda: alien.Container("c", source="app", volumes=[alien.Volume("/a-b"), alien.Volume("/a/b")]),
    ),
    ("ARGUMENT_CONFLICT", lambda: alien.Container("c", source="app", image=IMAGE, port=80)),
    ("ARGUMENT_MISSING", lambda: alien.Container("c", source="app", public=True)),
    ("HEALTH_INVALID", lambda: alien.Container("c", source="app", health="/up")),
    ("HEALTH_INVALID", lambda: alien.Container("c", source="app", port=1, protocol="tcp", health="/up")),
    ("ARGUMENT_INVALID", lambda: alien.Storage("files", opts={"protect": True})),  # type: ignore[arg-type]  # wrong on purpose
    ("ARGUMENT_INVALID", lambda: alien.Storage("files", transform=["directory"])),  # type: ignore[arg-type]  # wrong on purpose
    ("ID_INVALID", lambda: alien.Storage("")),
    ("ID_INVALID", lambda: alien.Storage(7)),  # type: ignore[arg-type]  # wrong on purpose
    ("LINK_UNKNOWN", linked_as_another_kind),
]


@pytest.mark.parametrize(("code", "program"), VARIANTS)
def test_other_ways_to_the_same_finding(folder: Path, code: str, program: Program) -> None:
    around = surroundings(folder, RIGHT, docker=True)
    assert {f.code for f in record(program, around).findings if f.severity == "error"} == {code}


@pytest.mark.parametrize("cron", ["0 3 * * 1", "*/5 * * * *", "0 0 29 2 *", "0 9-17 * * MON-FRI", "0 0 1 JAN *"])
def test_schedules_that_are_right(folder: Path, cron: str) -> None:
    recording = check(folder, lambda: triggered(triggers=[alien.schedule(cron, timezone="America/New_York")]))
    assert recording.error is None


def test_every_code_of_the_catalogue_is_made_by_a_test() -> None:
    others = ("AWS_", "AZURE_", "GCP_", "RULE_")  # the tests of their packages make those
    assert sorted([*REFUSED, *CONFIG, *ELSEWHERE]) == [code for code in CATALOGUE if not code.startswith(others)]
    assert list(CATALOGUE) == sorted(CATALOGUE)


@pytest.mark.parametrize(
    ("config", "codes"),
    [
        ({}, set()),
        ({"controlPlane": "https://control.example"}, {"COMMANDS_UNREACHED"}),
        ({"controlPlane": "https://control.example", "deploymentId": "dep_1"}, {"COMMANDS_TOKEN"}),
        ({"controlPlane": "https://control.example", "agentUrl": "http://127.0.0.1:4100"}, set()),
    ],
)
def test_commands_where_no_agent_is(folder: Path, config: dict[str, str], codes: set[str]) -> None:
    def program() -> None:
        triggered(commands=True)
        alien.Function("other", source="app")

    recording = check(folder, program, **config)
    assert recording.error is None
    assert {code for code in CATALOGUE if any(f"[{code}]" in text for text in recording.messages)} == codes


@pytest.mark.parametrize("code", REFUSED)
def test_a_wrong_stack_is_refused_with_just_this_finding(folder: Path, code: str) -> None:
    recording = check(folder, REFUSED[code])
    assert [f.code for f in recording.findings if f.severity == "error"] == [code]
    assert not [r for r in recording.resources if r.custom]
    assert recording.findings[0].message


@pytest.mark.parametrize("code", CONFIG)
def test_a_wrong_config_is_refused_with_just_this_finding(folder: Path, code: str) -> None:
    config = RIGHT | {f"alien:{key}": value for key, value in CONFIG[code].items()}
    given = {key: value for key, value in config.items() if value is not None}
    recording = record(lambda: alien.Storage("files"), surroundings(folder, given))
    assert recording.codes == (code,)
    assert not [r for r in recording.resources if r.custom]


def test_all_findings_come_at_once_in_the_order_of_the_program(folder: Path) -> None:
    def program() -> None:
        alien.Storage("Files", colour="blue")  # type: ignore[arg-type]  # wrong on purpose
        alien.Queue("jobs", retention="9d")
        alien.Function("w", source="nowhere", memory="much", env={"PORT": "1"})
        alien.Container("c")

    recording = check(folder, program, retain="x")
    assert [(f.resource, f.code) for f in recording.findings] == [
        ("alien:retain", "CONFIG_INVALID"),
        ("Files", "ARGUMENT_UNKNOWN"),
        ("Files", "ID_INVALID"),
        ("jobs", "RANGE_INVALID"),
        ("w", "UNIT_INVALID"),
        ("w", "ENV_RESERVED"),
        ("w", "SOURCE_MISSING"),
        ("c", "ARGUMENT_MISSING"),
    ]
    assert str(recording.error).startswith("the stack has 8 error(s), and nothing was created:\n  alien:retain: ")


def test_packaging_errors_come_with_the_others(folder: Path) -> None:
    def fails(source: Path, *_: object) -> Artifact:
        raise InvalidInput(f"{source.name}: requirements.txt names a package that does not exist", hint="mend it")

    def program() -> None:
        alien.Function("w", source="app", memory="much")

    recording = record(program, surroundings(folder, RIGHT, packager=fails))
    assert recording.codes == ("UNIT_INVALID", "PACKAGING_FAILED")
    assert recording.findings[1].hint == "mend it"


def test_a_ready_artifact_that_is_gone_is_a_finding(folder: Path) -> None:
    environ = {"ALIEN_ARTIFACTS": f'{{"w": "{folder}/gone.zip"}}'}
    recording = record(lambda: alien.Function("w", source="app"), surroundings(folder, RIGHT, environ=environ))
    assert recording.codes == ("PACKAGING_FAILED",)


def test_a_platform_that_is_not_installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "alien_iac_gcp", None)  # what Python itself knows as "not to be imported"
    around = replace(surroundings(folder, config_for("gcp")), package=package)
    recording = record(lambda: alien.Storage("files"), around)
    assert recording.codes == ("PLATFORM_MISSING",)
    assert recording.findings[0].hint == "pip install 'alien-iac[gcp]'"


def test_what_local_has_no_use_for_is_told_and_built(folder: Path) -> None:
    recording = check(
        folder,
        lambda: triggered(public=True, domain="app", network="customer", architecture="arm64"),
    )
    assert recording.error is None
    told = sorted(m.split(": ")[1] for m in recording.messages if "[IGNORED]" in m)
    assert told == [f"local has no use for Function.{name}" for name in ("architecture", "domain", "network")]
    assert recording.of_type("alien:local:Process")


def test_an_image_does_not_reach_loopback(folder: Path) -> None:
    def program() -> None:
        alien.Container("c", image=IMAGE, port=80, link=[alien.Queue("jobs")])
        alien.Container("d", image=IMAGE, commands=True)

    recording = record(program, surroundings(folder, RIGHT, docker=True))
    assert recording.codes == ("IMAGE_LOOPBACK", "IMAGE_LOOPBACK")


def test_hearing_of_objects_without_reading_them_is_a_warning(folder: Path) -> None:
    recording = check(folder, lambda: triggered(triggers=[alien.Storage("files").on_created()]))
    assert recording.error is None
    assert [m for m in recording.messages if m.endswith("[TRIGGER_NOT_LINKED]")]


def test_what_a_platform_lacks_is_refused() -> None:
    support = Support(
        unsupported={"Storage": "no disks there", "Queue.retention": "fixed", "Secret.provided_by=vendor": "no"}
    )
    components = (
        Declared(kind="Storage", id="files", arguments=ARGUMENTS["Storage"]()),
        Declared(kind="Queue", id="jobs", arguments=ARGUMENTS["Queue"](), given=frozenset({"max_receives"})),
        Declared(kind="Queue", id="slow", arguments=ARGUMENTS["Queue"](), given=frozenset({"retention"})),
        Declared(
            kind="Secret",
            id="crm",
            arguments=ARGUMENTS["Secret"].model_validate({"provided_by": "vendor"}),
            given=frozenset({"provided_by"}),
        ),
    )
    config = DeploymentConfig.model_validate({"platform": "local", "prefix": "acme-x1y2z3"})
    found = checks.check(Stack(config=config, components=components, support=support))
    assert [(f.code, f.resource) for f in found] == [(("UNSUPPORTED"), i) for i in ("files", "slow", "crm")]


def test_a_value_of_a_variable_is_never_told(folder: Path) -> None:
    recording = check(folder, lambda: triggered(env={"KEY": 4711, "a b": "hunter2", "PORT": "hunter2"}))
    assert recording.codes == ("ARGUMENT_INVALID", "ENV_INVALID", "ENV_RESERVED")
    assert not [f for f in recording.findings if "4711" in str(f) or "hunter2" in str(f)]
