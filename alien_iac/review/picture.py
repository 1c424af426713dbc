"""The picture of a stack as SVG, to stand in a page: it needs no script, and takes its colours from the page."""

from collections.abc import Iterator
from html import escape

from alien_iac.review import layout
from alien_iac.review.layout import LINE, PAD, WIDTH, Arrow, Box, Picture
from alien_iac.review.model import Review

_BEND = 80
_LETTER = 6.2
"""Of the labels' type, in pixels."""

STYLE = """
.picture { max-width: 100%; height: auto; }
.picture text { font: 12px ui-monospace, Menlo, Consolas, monospace; fill: var(--text); }
.picture .title { font: 600 15px system-ui, sans-serif; }
.picture .kind, .picture .native { fill: var(--soft); }
.picture .box { fill: var(--card); stroke: var(--line); }
.picture .outside .box { stroke: var(--warn); stroke-dasharray: 5 4; }
.picture a:focus .box, .picture a:hover .box { stroke: var(--link); stroke-width: 2.5; }
.picture .arrow { fill: none; stroke: var(--link); stroke-width: 1.5; }
.picture .exposure .arrow { stroke: var(--warn); }
.picture .head { fill: var(--link); }
.picture .exposure .head { fill: var(--warn); }
.picture .label { fill: var(--page); stroke: none; opacity: .92; }
"""


def draw(review: Review) -> str:
    """The SVG element."""
    whole = layout.picture(review)
    parts = [*(_arrow(arrow) for arrow in whole.arrows), *(_box(box, review.platform) for box in whole.boxes)]
    labels = [_label(arrow) for arrow in whole.arrows]
    head = (
        f'<svg class="picture" role="img" viewBox="0 0 {whole.width} {whole.height}" width="{whole.width}" '
        f'height="{whole.height}" aria-labelledby="picture-{review.platform}">'
    )
    title = f'<title id="picture-{review.platform}">{escape(_told(whole, review))}</title>'
    return "\n".join([head, title, *parts, *labels, "</svg>"])


def _told(whole: Picture, review: Review) -> str:
    """What the picture shows, for who does not see it."""
    arrows = "; ".join(f"{a.start.title} to {a.end.title}: {a.full}" for a in whole.arrows)
    return f"The stack on {review.platform}: {len(whole.boxes)} boxes. {arrows}"


def _box(box: Box, platform: str) -> str:
    outside = box.key.startswith("from:")
    rows = [
        f'<rect class="box" x="{box.x}" y="{box.y}" width="{WIDTH}" height="{box.height}" rx="8"/>',
        f'<text class="title" x="{box.x + PAD}" y="{box.y + 20}">{escape(box.title)}</text>',
        f'<text class="kind" x="{box.x + PAD}" y="{box.y + 36}">{escape(box.subtitle)}</text>',
        *(
            f'<text class="native" x="{box.x + PAD}" y="{box.y + 40 + (place + 1) * LINE}">{escape(line)}</text>'
            for place, line in enumerate(box.lines)
        ),
    ]
    if outside:
        return f'<g class="outside">{"".join(rows)}</g>'
    return f'<a href="#{platform}-{escape(box.key)}" aria-label="{escape(box.title)}">{"".join(rows)}</a>'


def _ends(arrow: Arrow) -> Iterator[tuple[int, int, int]]:
    """Where it leaves and arrives, and which way (1 right, -1 left); boxes of one column are joined on their left."""
    start, end = arrow.start, arrow.end
    if start.x < end.x:
        yield start.x + WIDTH, start.middle, 1
        yield end.x, end.middle, -1
    elif start.x > end.x:
        yield start.x, start.middle, -1
        yield end.x + WIDTH, end.middle, 1
    else:
        yield start.x, start.middle + 8, -1
        yield end.x, end.middle - 8, -1


def _arrow(arrow: Arrow) -> str:
    (x1, y1, way1), (x2, y2, way2) = _ends(arrow)
    tip = x2 + 9 * way2
    path = f"M{x1} {y1} C{x1 + _BEND * way1} {y1} {tip + _BEND * way2} {y2} {tip} {y2}"
    head = f"M{x2} {y2} l{9 * way2} -5 l0 10 z"
    return f'<g class="{arrow.kind}"><path class="arrow" d="{path}"/><path class="head" d="{head}"/></g>'


def _label(arrow: Arrow) -> str:
    (x1, y1, way1), (x2, y2, way2) = _ends(arrow)
    # Of a cubic curve, at two fifths: arrows that end in one box are apart there.
    x, y = _at(0.4, x1, x1 + _BEND * way1, x2 + _BEND * way2, x2), _at(0.4, y1, y1, y2, y2)
    half = len(arrow.label) * _LETTER / 2 + 4
    return (
        f'<g class="{arrow.kind}"><title>{escape(arrow.full)}</title>'
        f'<rect class="label" x="{x - half:.0f}" y="{y - 9:.0f}" width="{2 * half:.0f}" height="17" rx="4"/>'
        f'<text x="{x:.0f}" y="{y + 4:.0f}" text-anchor="middle">{escape(arrow.label)}</text></g>'
    )


def _at(t: float, a: float, b: float, c: float, d: float) -> float:
    """A cubic Bézier curve's value."""
    u = 1 - t
    return u**3 * a + 3 * u**2 * t * b + 3 * u * t**2 * c + t**3 * d
