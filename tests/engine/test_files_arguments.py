"""Command lines: what is understood, and that nothing else passes in silence."""

import pulumi.automation as auto
import pytest
from engine.files_workspace import Files

from alien_iac.engine import arguments
from alien_iac.engine.dialect import Json
from alien_iac.errors import InvalidInput, Unsupported

REFUSED = [
    ["up", "--policy-pack", "x"],
    ["up", "--plan", "x"],
    ["up", "--attach-debugger"],
    ["up", "--remote"],
    ["up", "--suppress-outputs"],
    ["up", "--config", "a=b"],
    ["preview", "--json"],
    ["preview", "--save-plan", "x"],
    ["preview", "--help"],
    ["destroy", "--exclude-protected"],
    ["refresh", "--import-pending-creates", "x"],
    ["stack", "init", "s", "--teams", "x"],
    ["stack", "ls", "-z"],
    ["up", "--tracing", "file:x"],
]
UNKNOWN = [
    ["import", "--yes"],
    ["config", "env", "ls"],
    ["config", "cp"],
    ["stack"],
    ["stack", "graph", "x"],
    ["state", "edit"],
    ["about"],
    ["login"],
    ["watch"],
    ["install"],
    ["new"],
    ["org", "get-default"],
    ["plugin", "rm", "resource"],
    [],
]


@pytest.mark.parametrize("line", REFUSED, ids=" ".join)
def test_flags_that_are_refused_are_named(line: list[str]) -> None:
    with pytest.raises(Unsupported) as refusal:
        arguments.parse(line)
    flag = next(word for word in line if word.startswith("-"))
    assert flag in str(refusal.value)
    assert "Pulumi CLI" in str(refusal.value)
    assert f"`pulumi {line[0]}" in str(refusal.value)


@pytest.mark.parametrize("line", UNKNOWN, ids=" ".join)
def test_verbs_that_are_refused_are_named(line: list[str]) -> None:
    with pytest.raises(Unsupported, match=f"`pulumi {' '.join(line[:1])}"):
        arguments.parse(line)


def test_a_refusal_reaches_the_api(files: Files) -> None:
    stack = files.stack()
    with pytest.raises(auto.errors.CommandError, match=r"code: 2[\s\S]*--policy-pack of `pulumi up`[\s\S]*Pulumi CLI"):
        stack.up(policy_packs=["x"])
    with pytest.raises(auto.errors.CommandError, match="`pulumi import`"):
        stack.import_resources(resources=[])
    assert files.recorder.requests == []


LINES: list[tuple[str, str, tuple[str, ...], dict[str, object]]] = [
    ("--non-interactive up -y", "up", (), {"non-interactive": True, "yes": True}),
    ("up -t a --target=b", "up", (), {"target": ("a", "b")}),
    ("--color never stack select --stack s", "stack select", (), {"color": "never", "stack": "s"}),
    ("config set k --secret -- --value", "config set", ("k", "--value"), {"secret": True}),
    ("config --json", "config", (), {"json": True}),
    ("config remove-all a b", "config rm-all", ("a", "b"), {}),
    ("up --run-program=false --refresh", "up", (), {"run-program": False, "refresh": "true"}),
    ("up -f", "up", (), {"skip-preview": True}),
    ("stack rm -f s", "stack rm", ("s",), {"force": True}),
    ("stack tag rm team", "stack tag rm", ("team",), {}),
]


@pytest.mark.parametrize(("line", "verb", "words", "flags"), LINES)
def test_lines(line: str, verb: str, words: tuple[str, ...], flags: dict[str, object]) -> None:
    call = arguments.parse(line.split())
    assert (call.verb, call.words, dict(call.flags)) == (verb, words, flags)


@pytest.mark.parametrize("line", [["config", "get"], ["up", "x"], ["up", "--target"], ["up", "--yes=perhaps"]])
def test_malformed_lines(line: list[str]) -> None:
    with pytest.raises(InvalidInput):
        arguments.parse(line)


def test_what_the_api_sends_is_understood(files: Files) -> None:
    stack = files.stack()
    urn = "urn:pulumi:s::probe-test::a:b:C::c"
    shared: dict[str, Json] = {"parallel": 3, "message": "m", "target": [urn], "target_dependents": True, "debug": True}
    shared |= {
        "log_flow": True,
        "log_verbosity": 3,
        "log_to_std_err": True,
        "suppress_progress": True,
        "color": "never",
    }
    stack.up(**shared, replace=[urn], refresh=True, expect_no_changes=True, continue_on_error=True, run_program=True)
    request = files.recorder.requests[-1]
    assert (request.kind, request.parallel, request.targets, request.replace) == ("update", 3, (urn,), (urn,))
    assert request.target_dependents
    assert request.refresh
    assert request.run_program
    assert request.expect_no_changes
    assert request.continue_on_error
    stack.refresh(**shared, clear_pending_creates=True, run_program=True)
    files.run("destroy", "--exclude", urn, "--exclude-dependents", "--continue-on-error")
    assert files.recorder.requests[-1].excludes == (urn,)
    assert files.recorder.requests[-1].exclude_dependents
    with pytest.raises(auto.errors.CommandError, match="only one of --target and --exclude"):
        files.run("destroy", "--exclude", urn, "--target", urn)
    files.run("up", "--target-replace", urn, "--parallel", "0")
    assert files.recorder.requests[-1].targets == files.recorder.requests[-1].replace == (urn,)
