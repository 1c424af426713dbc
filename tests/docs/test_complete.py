"""Whatever a user can name is documented, with the defaults that it has."""

import ast
import inspect
import re
from collections.abc import Mapping
from typing import Any, get_args

import pytest
import yaml
from docs.doc_pages import ROOT, blocks, rows, section
from pydantic import BaseModel

import alien_iac
from alien_iac import runtime
from alien_iac.agent.say import Say
from alien_iac.checks import config
from alien_iac.protocol import arc
from alien_iac.protocol.api import Deployment
from alien_iac.rollout import policy, summary
from alien_iac.rollout.state import TargetState
from alien_iac.runtime.stores import kv, queue, secret, storage

STACK, HANDLERS, RELEASE = "docs/write-a-stack.md", "docs/write-handlers.md", "docs/release.md"
COMMON = ("link", "frozen", "transform", "opts")
KINDS = ("Storage", "Kv", "Queue", "Secret", "Function", "Container")
EXAMPLES = re.compile(r"ALIEN_\w+_BINDING|ALIEN_VOLUME_\w+|ALIEN_\w*_")
SAID_OTHERWISE = frozenset({"see above", "see below", "needed", "none", "the rest"})


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def table(page: str, title: str) -> dict[str, list[str]]:
    """The rows under a heading, by each name that stands in backticks in the first cell."""
    return {name: row for row in rows(section(page, title)) for name in re.findall(r"`([\w-]+)`", row[0])}


@pytest.mark.parametrize("name", alien_iac.__all__)
def test_every_public_name_of_the_library(name: str) -> None:
    assert re.search(rf"\b{name}\b", text(STACK))


@pytest.mark.parametrize("name", runtime.__all__)
def test_every_public_name_of_the_runtime(name: str) -> None:
    assert re.search(rf"\b{name}\b", text(HANDLERS))


@pytest.mark.parametrize("kind", KINDS)
def test_every_argument_of_a_component_with_its_default(kind: str) -> None:
    parameters = inspect.signature(getattr(alien_iac, kind).__init__).parameters
    takes = {name: p for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
    documented = table(STACK, "Components") | table(STACK, kind)
    for name, parameter in takes.items():
        default = documented[name][1]
        assert default in {"", f"`{_written(parameter.default)}`"}, name
    assert set(table(STACK, kind)) - {"max_receives", *takes} <= set(COMMON)


def _written(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def test_every_key_of_the_config() -> None:
    assert {f"alien:{key}" for key in _keys(section(STACK, "Config"))} == set(config.keys())


def _keys(found: str) -> list[str]:
    return [match for row in rows(found) for match in re.findall(r"`alien:(\w+)`", row[0])]


@pytest.mark.parametrize(
    ("title", "store"),
    [("Storage", storage.Storage), ("Kv", kv.Kv), ("Queue", queue.Queue), ("Secret", secret.Secret)],
)
def test_every_method_of_a_store(title: str, store: type) -> None:
    there = {name for name in vars(store) if not name.startswith("_")}
    told = {name for row in rows(section(HANDLERS, title)) for name in re.findall(r"`(\w+)\(", row[0])}
    assert told == there


def test_every_setting() -> None:
    found = set()
    for folder in ("alien_iac", "providers"):
        for path in (ROOT / folder).rglob("*.py"):
            found |= set(re.findall(r"\bALIEN_[A-Z_]+\b", path.read_text(encoding="utf-8")))
    settings = text("docs/settings.md")
    assert len(found) > 20
    assert not {name for name in found if not EXAMPLES.fullmatch(name) and f"`{name}`" not in settings}


@pytest.mark.parametrize(
    ("lead", "model", "outer"),
    [
        ("key", policy.Policy, None),
        ("key of a wave", policy.Wave, {"name": "one"}),
        ("key of `verify`", policy.Verify, {}),
    ],
)
def test_every_knob_of_a_rollout_with_its_default(
    lead: str, model: type[BaseModel], outer: Mapping[str, Any] | None
) -> None:
    found = section(RELEASE, "rollout.yaml").split(f"| {lead} | default | meaning |")[1].split("\n\n")[0]
    told = {re.sub("`", "", row[0]): re.sub("`", "", row[1]) for row in rows(found) if row[0].startswith("`")}
    assert set(told) == set(model.model_fields)
    for name, default in told.items():
        if default not in SAID_OTHERWISE:
            read = model.model_validate({**(outer or {}), name: yaml.safe_load(default)})
            assert getattr(read, name) == model.model_fields[name].default, name


def test_the_default_policy() -> None:
    (block,) = [block for block in blocks("yaml") if block.mark == "policy"]
    assert policy.parse(yaml.safe_load(block.text)) == policy.Policy()


def test_every_state() -> None:
    release = text(RELEASE)
    words = {state.value for state in TargetState} | summary.FINISHED
    words |= set(get_args(Deployment.model_fields["status"].annotation))
    assert not {word for word in words if f"`{word}`" not in release}
    assert not {state for state in get_args(arc.State) if f"`{state}`" not in text("docs/commands.md")}


def test_every_key_of_the_customers_say() -> None:
    assert set(table("docs/security.md", "The customer's say")) == set(Say.model_fields)


def test_the_demo_says_what_the_readme_shows() -> None:
    """Each thing that is seen in the README is one that the demo looks for."""
    story = ast.parse(text("alien_iac/cli/demonstration/story.py"))
    claims = [_pattern(node) for node in ast.walk(story) if isinstance(node, ast.Constant | ast.JoinedStr)]
    (block,) = [block for block in blocks("console") if block.mark == "demo"]
    shown = re.findall(r"✓ (.*)", block.text)
    assert len(shown) > 4
    assert not [line for line in shown if not any(re.fullmatch(claim, line) for claim in claims)]


def _pattern(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return re.escape(node.value) if isinstance(node.value, str) else "(?!)"
    return "".join(_pattern(part) if isinstance(part, ast.Constant) else ".+" for part in node.values)
