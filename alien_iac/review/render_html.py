"""Reviews as one page that stands alone: no script, nothing from elsewhere, for light and dark, by keyboard."""

import json
from collections.abc import Iterable, Sequence
from html import escape

from alien_iac.review import picture, render_text, tree
from alien_iac.review.diff import Difference, permissions
from alien_iac.review.model import Resource, Review
from alien_iac.review.tree import Component

_STYLE = """
:root { color-scheme: light dark; --page: #fff; --card: #f6f7f9; --text: #1b1f24; --soft: #57606a; --line: #c4cbd3;
  --link: #0a5bc4; --warn: #b3450a; --error: #b42318; }
@media (prefers-color-scheme: dark) { :root { --page: #15181c; --card: #1f242a; --text: #e7ebef; --soft: #a3adb8;
  --line: #434c56; --link: #79b3ff; --warn: #f0a35e; --error: #ff8a80; } }
body { margin: 0 auto; max-width: 1200px; padding: 1.5rem; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
a { color: var(--link); } :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
h2 { margin-top: 2.5rem; } h3 { margin: 1.8rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .8rem .3rem 0;
  border-bottom: 1px solid var(--line); vertical-align: top; } th { color: var(--soft); font-weight: 600; }
details { margin: .3rem 0; } summary { cursor: pointer; } .soft { color: var(--soft); }
pre { background: var(--card); padding: .8rem; overflow: auto; border-radius: 6px;
  font: 13px/1.45 ui-monospace, Menlo, Consolas, monospace; }
.scroll { overflow-x: auto; } .error { color: var(--error); font-weight: 600; } .warning { color: var(--warn); }
"""
_MADE = "Made without credentials and without network: ids, ARNs and addresses are synthetic."


def page(title: str, reviews: Sequence[Review], differences: Sequence[Difference] = ()) -> str:
    """The whole page."""
    changed = {one.platform: one for one in differences}
    parts = [section for one in reviews for section in _platform(one, changed.get(one.platform))]
    links = " · ".join(f'<a href="#{one.platform}">{one.platform}</a>' for one in reviews)
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE}{picture.STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            f'<p class="soft">{_MADE} {links}</p><main>',
            *parts,
            "</main></body></html>\n",
        ]
    )


def _platform(one: Review, changed: Difference | None) -> Iterable[str]:
    yield f'<section id="{one.platform}" aria-labelledby="{one.platform}-title">'
    yield f'<h2 id="{one.platform}-title">{one.platform}</h2>'
    yield from _findings(one)
    if changed is not None:
        yield f"<h3>What differs</h3><pre>{escape(render_text.difference(changed))}</pre>"
    yield '<h3>The stack</h3><div class="scroll" tabindex="0" role="group" aria-label="Picture">'
    yield f"{picture.draw(one)}</div>"
    yield '<p class="soft">Arrows in blue: who may do what to what. Arrows in orange: who reaches what.</p>'
    yield from _components(one)
    yield from _grants(one)
    exposure = ((e.resource, e.from_, e.how) for e in one.exposure)
    yield from _table("What is exposed", ("resource", "from", "how"), exposure)
    yield from _table("What leaves", ("to", "what"), ((each.to, each.what) for each in one.leaves))
    idle = ((i.resource, i.what, i.cost) for i in one.idle)
    yield from _table("What costs while idle", ("resource", "what", "about, a month"), idle)
    yield from _permissions(one)
    yield "</section>"


def _findings(one: Review) -> Iterable[str]:
    if one.findings:
        yield "<h3>Findings</h3><ul>"
        yield from (f'<li><span class="{f.severity}">{f.severity}</span> {escape(str(f))}</li>' for f in one.findings)
        yield "</ul>"


def _components(one: Review) -> Iterable[str]:
    yield "<h3>Every native resource</h3>"
    for component in tree.components(one):
        yield f'<section id="{one.platform}-{escape(component.name)}" tabindex="-1">{_component(component)}</section>'


def _component(component: Component) -> str:
    title = f"<strong>{escape(component.name)}</strong> <span class=soft>{component.kind}</span>"
    count = f"{len(component.natives)} resources"
    inside = "".join(_resource(resource) for resource in component.natives)
    return f"<details><summary>{title} <span class=soft>{count}</span></summary>{inside}</details>"


def _resource(resource: Resource) -> str:
    marks = [
        word for word, there in (("protected", resource.protect), ("outlives the stack", resource.retain)) if there
    ]
    title = f"{escape(resource.type)} {escape(resource.name)} <span class=soft>{', '.join(marks)}</span>"
    return f"<details><summary>{title}</summary>{_json(resource.inputs)}</details>"


def _grants(one: Review) -> Iterable[str]:
    if one.grants:
        yield "<h3>Who may do what</h3>"
    for grant in one.grants:
        words = escape(render_text.granted(grant))
        yield f"<details><summary>{words}</summary>{_json(grant.policy)}</details>"


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """Nothing where there are no rows."""
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    if lines:
        names = "".join(f'<th scope="col">{name}</th>' for name in head)
        yield f"<h3>{title}</h3><table><thead><tr>{names}</tr></thead><tbody>"
        yield from (f"<tr>{line}</tr>" for line in lines)
        yield "</tbody></table>"


def _permissions(one: Review) -> Iterable[str]:
    if one.deploy_permissions:
        count = len(permissions(one.deploy_permissions))
        yield f"<h3>What deploying takes</h3><details><summary>{count} permissions</summary>"
        yield f"{_json(one.deploy_permissions)}</details>"


def _json(value: object) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"
