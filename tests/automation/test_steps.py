"""How an update's failures read."""

import pytest

from alien_iac import errors, steps
from alien_iac.steps import Journal, Step

CHECKS = "the stack has 2 error(s), and nothing was created:\n  files: too long [NAME]\n  jobs: too long [NAME]"


def trace(message: str, *frames: str) -> str:
    lines = "\n".join(f'  File "{frame}", line 3, in <module>\n    call()' for frame in frames)
    return f"Program failed with an unhandled exception:\nTraceback (most recent call last):\n{lines}\n{message}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("disk is full", "disk is full"),
        ("<{%fg 1%}>red<{%reset%}>", "red"),
        (trace("ValueError: no", "/app/main.py"), "the stack program raised ValueError: no (/app/main.py, line 3)"),
        (
            trace("ValueError: no", "/app/main.py", "/usr/lib/python3.11/json.py"),
            "the stack program raised ValueError: no (/app/main.py, line 3)",
        ),
        (trace(f"alien_iac.errors.StackInvalid: {CHECKS}", "/app/main.py"), CHECKS),
    ],
)
def test_a_traceback_becomes_one_message(text: str, expected: str) -> None:
    assert steps.without_traceback(text) == expected


def test_a_refusal_by_the_checks_is_invalid_input_and_comes_once() -> None:
    error = steps.as_error("acme", (CHECKS, "something else"))
    assert isinstance(error, errors.InvalidInput)
    assert str(error) == CHECKS


def test_a_failed_resource_is_named_with_its_reason_once() -> None:
    journal = Journal(steps.quiet)
    urn = "urn:pulumi:acme::tiny::alien:local:Process::worker"
    for text in ("port 80 is taken", "port 80 is taken", "update failed"):
        journal.add(Step(kind="said", urn=urn, text=text, severity="error"))
    error = steps.as_error("acme", journal.failures())
    assert isinstance(error, errors.UpdateFailed)
    assert str(error).count("worker: port 80 is taken") == 1
    assert "update failed" not in str(error)


def test_packages_are_those_of_the_resources_and_of_explicit_providers() -> None:
    journal = Journal(steps.quiet)
    for kind in ("pulumi:pulumi:Stack", "pulumi:providers:aws", "alien:index:Storage", "random:index/x:X"):
        journal.add(Step(kind="begun", operation="create", type=kind))
    assert journal.packages() == {"aws", "alien", "random"}


def test_what_no_event_told_is_read_from_stderr() -> None:
    told = "\n code: 255\n stdout: \n stderr: error: no passphrase\nerror: no passphrase"
    assert steps.stderr_lines(told) == ("no passphrase",)


def test_a_component_is_touched_where_something_of_it_changes_and_it_was_there() -> None:
    journal = Journal(steps.quiet)
    for name, owner_operation, child_operation in (
        ("files", "same", "update"),
        ("jobs", "same", "same"),
        ("fresh", "create", "create"),
    ):
        owner = f"urn:pulumi:acme::tiny::alien:index:Storage::{name}"
        child = f"urn:pulumi:acme::tiny::alien:index:Storage$alien:local:Directory::{name}-directory"
        journal.add(Step(kind="begun", operation=owner_operation, urn=owner, type="alien:index:Storage"))
        journal.add(
            Step(kind="begun", operation=child_operation, urn=child, type="alien:local:Directory", parent=owner)
        )
    assert journal.touched() == {"files"}


@pytest.mark.parametrize(
    "text",
    [
        "store: Stream removed (Socket closed)",
        "worker: failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Connection refused",
        "worker: rpc error: code = Unavailable desc = error reading from server: EOF",
    ],
)
def test_a_plugin_that_was_killed_is_worth_another_try(text: str) -> None:
    error = steps.as_error("acme", (text,))
    assert isinstance(error, errors.Unavailable)
    assert error.retryable
    assert text in error.message
