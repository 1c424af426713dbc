"""What differs from one review to another."""

import pytest
from review.review_project import FULL, TWO, Reviewed

from alien_iac.review import diff, render_text
from alien_iac.review.diff import compare, permissions
from alien_iac.review.model import Exposure, Grant, Resource, Review


def resource(name: str, **inputs: object) -> Resource:
    return Resource(urn=f"urn:{name}", type="aws:sqs/queue:Queue", name=name, parent="", inputs=inputs)


def test_nothing_differs_from_itself(project: Reviewed) -> None:
    review = project.review()
    assert compare(review, review).is_empty
    assert "nothing differs" in render_text.difference(compare(review, review))


def test_what_comes_what_goes_and_what_changes(project: Reviewed) -> None:
    before = project.review()
    (project.folder / "worker" / "main.py").write_text("# second\n")
    after = project.with_program(FULL.replace('alien.Kv("sessions")', 'alien.Kv("state")')).review()
    found = compare(before, after)
    assert {r.name for r in found.added} >= {"state"}
    assert {r.name for r in found.removed} >= {"sessions"}
    changed = {change.name: {p.path for p in change.properties} for change in found.changed}
    assert "codeHash" in changed["worker"]
    assert "api" not in changed


def test_paths_lead_to_what_changed() -> None:
    before = Review(platform="aws", resources=(resource("a", tags={"x": "1"}, rules=[{"days": 1}], same="s"),))
    after = Review(platform="aws", resources=(resource("a", tags={"x": "1", "y": "2"}, rules=[{"days": 2}], same="s"),))
    (change,) = compare(before, after).changed
    assert [(p.path, p.before, p.after) for p in change.properties] == [("rules[0].days", 1, 2), ("tags.y", None, "2")]


def test_grants_exposure_and_permissions() -> None:
    read, write = (Grant(workload="w", resource="files", verb=verb, policy={"a": verb}) for verb in ("read", "write"))
    seen = Exposure(resource="w", from_="internet", how="https")
    allowed = {"Statement": [{"Action": ["sqs:CreateQueue"], "Resource": "*"}]}
    before = Review(platform="aws", grants=(read,))
    after = Review(platform="aws", grants=(write,), exposure=(seen,), deploy_permissions=allowed)
    found = compare(before, after)
    assert (found.grants_added, found.grants_removed) == ((write,), (read,))
    assert found.exposure_added == (seen,)
    assert found.permissions_added == ("sqs:CreateQueue on *",)
    text = render_text.difference(found)
    assert "+ w may write files" in text
    assert "- w may read files" in text


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        ({}, set()),
        (
            {"Statement": [{"Action": ["a:B", "a:C"], "Resource": ["x", "y"]}]},
            {"a:B on x", "a:B on y", "a:C on x", "a:C on y"},
        ),
        ({"includedPermissions": ["run.services.get"]}, {"run.services.get"}),
        ({"Actions": ["Microsoft.Web/sites/read"], "DataActions": ["x/y"]}, {"Microsoft.Web/sites/read", "x/y"}),
    ],
)
def test_permissions_in_the_form_of_each_cloud(policy: dict[str, object], found: set[str]) -> None:
    assert permissions(policy) == found


def test_a_difference_travels_as_json(project: Reviewed) -> None:
    before, after = project.review(), project.with_program(TWO).review()
    told = compare(before, after).dump()
    assert diff.Difference.model_validate(told).removed
