"""The page: it stands alone, says what the review says, and can be read by whoever reads it."""

from html.parser import HTMLParser

import pytest
from review.review_project import Reviewed

from alien_iac.review import layout, picture, render_html, render_text
from alien_iac.review.model import Exposure, Grant, Resource, Review

VOID = {"meta", "br"}


class Checked(HTMLParser):
    """Tags that are closed in order, the ids, and where links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def component(name: str, kind: str) -> Resource:
    return Resource(urn=f"urn:{name}", type=f"alien:index:{kind}", name=name, parent="")


@pytest.fixture
def cloud() -> Review:
    names = [("api", "Container"), ("worker", "Function"), ("files", "Storage"), ("jobs", "Queue")]
    made = [component(*each) for each in names]
    inner = Resource(urn="urn:b", type="aws:s3/bucket:Bucket", name="<files>", parent="urn:files", protect=True)
    return Review(
        platform="aws",
        resources=(*made, inner),
        grants=(
            Grant(workload="worker", resource="files", verb="write", policy={"Resource": "<arn>"}),
            Grant(workload="api", resource="jobs", verb="send"),
            Grant(workload="api", resource="worker", verb="call"),
        ),
        exposure=(Exposure(resource="api", from_="internet", how="https & more"),),
    )


def test_the_page_is_well_formed_and_every_link_leads_somewhere(project: Reviewed, cloud: Review) -> None:
    text = render_html.page("Review of shop", [project.review(), cloud])
    checked = Checked(text)
    assert checked.open == []
    assert len(set(checked.ids)) == len(checked.ids)
    assert {link.removeprefix("#") for link in checked.links} <= set(checked.ids)


def test_the_page_needs_nothing_but_itself(cloud: Review) -> None:
    text = render_html.page("Review", [cloud])
    assert "<script" not in text
    assert "src=" not in text
    assert all(link.startswith("#") for link in Checked(text).links)
    assert "url(" not in text
    assert "prefers-color-scheme: dark" in text


def test_what_the_review_says_is_escaped(cloud: Review) -> None:
    text = render_html.page("Review", [cloud])
    assert "&lt;files&gt;" in text
    assert "https &amp; more" in text
    assert "<arn>" not in text


def test_the_picture_has_every_component_and_every_arrow(cloud: Review) -> None:
    whole = layout.picture(cloud)
    assert {box.key for box in whole.boxes} == {"from:internet", "api", "worker", "files", "jobs"}
    arrows = {(a.start.key, a.end.key, a.label) for a in whole.arrows}
    assert arrows == {
        ("from:internet", "api", "https & more"),
        ("worker", "files", "write"),
        ("api", "jobs", "send"),
        ("api", "worker", "call"),
    }
    drawn = picture.draw(cloud)
    assert drawn.count('class="arrow"') == 4
    assert "worker to files: write" in drawn


def test_no_box_covers_another(cloud: Review) -> None:
    boxes = layout.picture(cloud).boxes
    for one in boxes:
        for other in boxes:
            apart = one.x != other.x or one.y + one.height <= other.y or other.y + other.height <= one.y
            assert apart or one is other


def test_the_text_says_it_all(cloud: Review) -> None:
    text = render_text.review(cloud)
    assert "worker may write files" in text
    assert "api from internet: https & more" in text
    assert "aws:s3/bucket:Bucket <files> [protected]" in text
