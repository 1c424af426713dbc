"""Who may do what on Google Cloud: members only, one role on one resource, and an account for each workload."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from providers.gcp.gcp_stacks import run

import alien_iac as alien
from alien_iac.testing.recording import Recording
from alien_iac_gcp import TYPES

MEMBERS = ("IAMMember", "IamMember")
PROJECT_WIDE = {"roles/datastore.viewer", "roles/datastore.user", "roles/logging.logWriter"}
"""What has no narrower place than the project."""


def app() -> None:
    files, sessions, jobs, crm = alien.Storage("files"), alien.Kv("sessions"), alien.Queue("jobs"), alien.Secret("crm")
    index = alien.Container("index", source="./api", port=7700, volumes=[alien.Volume("/data")])
    api = alien.Container("api", source="./api", port=8080, link=[index, jobs.sender(), sessions])
    worker = alien.Function(
        "worker",
        source="./worker",
        link=[files.reader(), sessions.reader(), crm, api],
        triggers=[jobs.on_message(), files.on_created(), alien.schedule("0 3 * * 1")],
    )
    alien.Function("reports", source="./worker", link=[worker])
    alien.Container("puller", source="./api", link=[alien.Queue("other").consumer()])


@pytest.fixture
def whole(tmp_path: Path) -> Recording:
    recording = run(app, tmp_path)
    assert recording.error is None
    return recording


def members(recording: Recording) -> list[dict[str, Any]]:
    return [dict(r.inputs) | {"_": r.name} for r in recording.resources if r.type.endswith(MEMBERS)]


def to(recording: Recording, account: str) -> set[tuple[str, str]]:
    """The roles of an account, each with what it is on."""
    places = ("bucket", "topic", "subscription", "secretId", "name", "repository", "serviceAccountId", "project")
    return {
        (m["role"], next(m[place] for place in places if place in m))
        for m in members(recording)
        if m["member"] == f"serviceAccount:{account}@acme-project.iam.gserviceaccount.com"
    }


def test_nothing_that_the_customer_granted_is_taken_away(whole: Recording) -> None:
    assert not [r.type for r in whole.resources if r.type.lower().endswith(("iambinding", "iampolicy"))]
    assert len(members(whole)) > 10


def test_each_link_is_one_role_on_that_resource(whole: Recording) -> None:
    own = "projects/acme-project/serviceAccounts/acme-x1y2z3-worker@acme-project.iam.gserviceaccount.com"
    assert to(whole, "acme-x1y2z3-worker") == {
        ("roles/storage.objectViewer", "acme-x1y2z3-files"),
        ("roles/datastore.viewer", "acme-project"),
        ("roles/secretmanager.secretAccessor", "acme-x1y2z3-crm"),
        ("roles/iam.serviceAccountTokenCreator", own),
    }
    assert to(whole, "acme-x1y2z3-api") == {
        ("roles/pubsub.publisher", "acme-x1y2z3-jobs"),
        ("roles/datastore.user", "acme-project"),
    }
    assert to(whole, "acme-x1y2z3-puller") == {("roles/pubsub.subscriber", "acme-x1y2z3-other")}
    assert to(whole, "acme-x1y2z3-reports") == {("roles/run.invoker", "acme-x1y2z3-worker")}


def test_what_starts_a_function_may_do_nothing_else(whole: Recording) -> None:
    assert to(whole, "acme-x1y2z3-worker--triggers") == {("roles/run.invoker", "acme-x1y2z3-worker")}


def test_only_what_has_no_narrower_place_is_granted_on_the_project(whole: Recording) -> None:
    wide = [m for r, m in ((r, r.inputs) for r in whole.resources) if r.type == "gcp:projects/iAMMember:IAMMember"]
    assert {m["role"] for m in wide} == PROJECT_WIDE
    databases = [m for m in wide if m["role"].startswith("roles/datastore")]
    expression = 'resource.name == "projects/acme-project/databases/acme-x1y2z3-sessions"'
    assert [m["condition"]["expression"] for m in databases] == [expression] * 2


def test_each_workload_runs_as_itself(whole: Recording) -> None:
    run_as = {r.name: r.inputs["template"]["serviceAccount"] for r in whole.of_type("gcp:cloudrunv2/service:Service")}
    assert run_as == {
        name: f"acme-x1y2z3-{name}@acme-project.iam.gserviceaccount.com" for name in ("api", "worker", "reports")
    }


def test_types_that_are_made_are_in_the_table(whole: Recording) -> None:
    assert {r.type for r in whole.resources if r.custom and not r.type.startswith("pulumi:")} <= set(TYPES)
    assert list(TYPES) == sorted(set(TYPES))


def test_two_functions_may_call_each_other(tmp_path: Path) -> None:
    def program() -> None:
        one = alien.Function("one", source="./worker")
        two = alien.Function("two", source="./worker", link=[one])
        one.link(two)

    recording = run(program, tmp_path)
    assert recording.error is None
    assert to(recording, "acme-x1y2z3-one") == {("roles/run.invoker", "acme-x1y2z3-two")}
    assert to(recording, "acme-x1y2z3-two") == {("roles/run.invoker", "acme-x1y2z3-one")}


def test_anybody_may_read_public_objects_and_do_nothing_else(tmp_path: Path) -> None:
    recording = run(lambda: alien.Storage("files", public_read=True), tmp_path)
    (anybody,) = (m for m in members(recording) if m["member"] == "allUsers")
    assert anybody["role"] == "roles/storage.legacyObjectReader"


def function(**arguments: Any) -> Callable[[], Any]:
    return lambda: alien.Function("worker", **{"source": "./worker", **arguments})


def environment(recording: Recording, name: str) -> dict[str, str]:
    service = recording.one("gcp:cloudrunv2/service:Service", name).inputs
    return {v["name"]: v["value"] for v in service["template"]["containers"][0]["envs"]}


@pytest.mark.parametrize("public", [False, True])
def test_a_public_function_is_told_who_may_do_what_is_not_for_the_public(tmp_path: Path, public: bool) -> None:  # noqa: FBT001
    recording = run(function(public=public, triggers=[alien.schedule("0 3 * * 1")], commands=True), tmp_path)
    service = recording.one("gcp:cloudrunv2/service:Service", "worker").inputs
    assert service["invokerIamDisabled"] is public
    told = environment(recording, "worker")
    assert told["ALIEN_AUDIENCE"] == "https://acme-x1y2z3-worker-123456789012.europe-west1.run.app"
    at = "@acme-project.iam.gserviceaccount.com"
    assert told["ALIEN_CALLERS"] == f'["acme-x1y2z3--agent{at}", "acme-x1y2z3-worker--triggers{at}"]'


def test_what_a_new_project_lacks_is_enabled_before_it_is_used(whole: Recording) -> None:
    enabled = {r.urn: r.inputs["service"] for r in whole.of_type("gcp:projects/service:Service")}
    signing = whole.one("gcp:serviceaccount/iAMMember:IAMMember", "worker-worker-sign-addresses")
    assert "iamcredentials.googleapis.com" in {enabled.get(urn) for urn in signing.depends_on}
    on_project = whole.of_type("gcp:projects/iAMMember:IAMMember")
    for granted in on_project:
        assert "cloudresourcemanager.googleapis.com" in {enabled.get(urn) for urn in granted.depends_on}
    assert {r.inputs["disableOnDestroy"] for r in whole.of_type("gcp:projects/service:Service")} == {False}
