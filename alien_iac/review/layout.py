"""Where everything is in the picture of a stack; pure numbers, so that drawing is only writing them down.

Columns from left to right: who comes from outside, workloads, data, what is shared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alien_iac.review import tree
from alien_iac.review.model import Review
from alien_iac.review.tree import Component

WIDTH, GAP, ROW, PAD, LINE = 250, 190, 28, 14, 17
"""Of a box, between columns, between boxes, around, of a line of text; in pixels."""
_HEAD = 44
_MOST = 6
"""Types of native resources that a box names."""
_LETTERS = 30


@dataclass(frozen=True, kw_only=True)
class Box:
    """One box with its lines. `key` is the component's id, or `from:internet`."""

    key: str
    title: str
    subtitle: str
    lines: tuple[str, ...]
    x: int
    y: int

    @property
    def height(self) -> int:
        return _HEAD + len(self.lines) * LINE + (PAD // 2 if self.lines else 0)

    @property
    def middle(self) -> int:
        return self.y + self.height // 2


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """From one box to another, with what it means in a word, and in full."""

    start: Box
    end: Box
    label: str
    full: str
    kind: str
    """`grant` or `exposure`."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """All of it, and how big it is."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: int
    height: int


def picture(review: Review) -> Picture:
    """The picture of a review."""
    components = tree.components(review)
    ids = {component.name for component in components}
    outside = list(dict.fromkeys(one.from_ for one in review.exposure if one.from_ not in ids))
    columns = [
        [_Card(f"from:{name}", name, "comes from outside", ()) for name in outside],
        [_card(c) for c in components if c.kind in tree.WORKLOADS],
        [_card(c) for c in components if c.kind in tree.DATA],
        [_card(c) for c in components if c.kind not in (*tree.WORKLOADS, *tree.DATA)],
    ]
    placed = [_column(cards, number) for number, cards in enumerate(filter(None, columns))]
    boxes = {box.key: box for column in placed for box in column}
    height = max((box.y + box.height for box in boxes.values()), default=0)
    width = len(placed) * (WIDTH + GAP) - GAP + 2 * PAD
    return Picture(
        boxes=tuple(boxes.values()),
        arrows=(*_exposures(review, boxes), *_grants(review, boxes)),
        width=max(width, WIDTH),
        height=height + PAD,
    )


@dataclass(frozen=True)
class _Card:
    """A box that has no place yet."""

    key: str
    title: str
    subtitle: str
    lines: tuple[str, ...]


def _card(component: Component) -> _Card:
    counted = [f"{name} x {count}" if count > 1 else name for name, count in component.counted.items()]
    more = [f"and {len(counted) - _MOST} more"] if len(counted) > _MOST else []
    lines = tuple(_cut(line) for line in (*counted[:_MOST], *more))
    return _Card(component.name, _cut(component.name), component.kind, lines)


def _column(cards: Sequence[_Card], number: int) -> list[Box]:
    y, placed = PAD, []
    for card in cards:
        x = PAD + number * (WIDTH + GAP)
        box = Box(key=card.key, title=card.title, subtitle=card.subtitle, lines=card.lines, x=x, y=y)
        placed.append(box)
        y += box.height + ROW
    return placed


def _exposures(review: Review, boxes: Mapping[str, Box]) -> list[Arrow]:
    """Each pair once, with all ways between them."""
    ways: dict[tuple[str, str], list[str]] = {}
    for one in review.exposure:
        start = one.from_ if one.from_ in boxes else f"from:{one.from_}"
        ways.setdefault((start, one.resource), []).append(one.how)
    return _arrows(ways, boxes, "exposure")


def _grants(review: Review, boxes: Mapping[str, Box]) -> list[Arrow]:
    ways: dict[tuple[str, str], list[str]] = {}
    for one in review.grants:
        ways.setdefault((one.workload, one.resource), []).append(one.verb)
    return _arrows(ways, boxes, "grant")


def _arrows(ways: Mapping[tuple[str, str], list[str]], boxes: Mapping[str, Box], kind: str) -> list[Arrow]:
    return [
        Arrow(
            start=boxes[start],
            end=boxes[end],
            label=_cut(", ".join(dict.fromkeys(how)), 22),
            full="; ".join(dict.fromkeys(how)),
            kind=kind,
        )
        for (start, end), how in ways.items()
        if start in boxes and end in boxes and start != end
    ]


def _cut(text: str, most: int = _LETTERS) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
