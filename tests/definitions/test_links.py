from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

import alien_iac as alien
from alien_iac.checks import stack as checks
from alien_iac.models.arguments import ARGUMENTS, ContainerArguments, FunctionArguments, Kind
from alien_iac.models.declared import Declared, Stack
from alien_iac.models.links import VERBS, Link
from alien_iac.resources import links
from alien_iac.testing.recording import config_for, record, surroundings

KINDS: tuple[Kind, ...] = ("Storage", "Kv", "Queue", "Secret", "Function", "Container")


def declared(kind: Kind, links_to: tuple[Link, ...] = ()) -> Declared:
    arguments = ARGUMENTS[kind]()
    if isinstance(arguments, FunctionArguments):
        arguments = FunctionArguments(source="x")
    if isinstance(arguments, ContainerArguments):
        arguments = ContainerArguments(source="x", port=80)
    return Declared(kind=kind, id=f"{kind.lower()}-target", arguments=arguments, links=links_to)


TARGETS = tuple(declared(kind) for kind in KINDS)
LINKS = st.sampled_from([Link(resource=t.id, kind=t.kind, verb=v) for t in TARGETS for v in VERBS[t.kind]])


def test_the_verbs_of_each_kind_are_public_and_the_first_is_that_of_a_bare_link() -> None:
    assert VERBS == {
        "Storage": ("write", "read"),
        "Kv": ("write", "read"),
        "Queue": ("send", "consume"),
        "Secret": ("read",),
        "Function": ("call",),
        "Container": ("call",),
    }


@given(st.lists(LINKS, max_size=8))
def test_links_are_right_exactly_where_each_resource_has_one_verb(chosen: list[Link]) -> None:
    user = Declared(kind="Function", id="user", arguments=FunctionArguments(source="x"), links=tuple(chosen))
    found = checks.check(Stack(config=None, components=(*TARGETS, user)))
    twice = {link.resource for link in chosen if sum(1 for other in chosen if other.resource == link.resource) > 1}
    assert sorted(f.code for f in found) == ["LINK_TWICE"] * len(twice)


@given(st.permutations(TARGETS), LINKS)
def test_where_a_target_stands_in_the_program_makes_no_difference(order: list[Declared], link: Link) -> None:
    user = Declared(kind="Container", id="user", arguments=ContainerArguments(source="x"), links=(link,))
    assert checks.check(Stack(config=None, components=(user, *order))) == ()
    assert [f.code for f in checks.check(Stack(config=None, components=(user,)))] == ["LINK_UNKNOWN"]


def test_bare_links_and_verbs_name_the_resource() -> None:
    with TemporaryDirectory() as folder:
        made: list[Link] = []

        def program() -> None:
            files, kv, jobs, crm = alien.Storage("files"), alien.Kv("kv"), alien.Queue("jobs"), alien.Secret("crm")
            targets = [files, files.reader(), files.writer(), kv, kv.reader(), kv.writer()]
            made.extend(links.read("w", [*targets, jobs, jobs.sender(), jobs.consumer(), crm])[0])

        record(program, surroundings(Path(folder), config_for("local")))
    told = [f"{link.resource} {link.verb}" for link in made]
    data = [f"{name} {verb}" for name in ("files", "kv") for verb in ("write", "read", "write")]
    assert told == [*data, "jobs send", "jobs send", "jobs consume", "crm read"]


@pytest.mark.parametrize("given_", [None, "files", 3, Link(resource="files", kind="Storage", verb="read")])
def test_link_takes_a_list(given_: object) -> None:
    found, problems = links.read("w", given_)
    assert found == []
    assert [p.code for p in problems] == ["LINK_INVALID"]
