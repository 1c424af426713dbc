"""The documentation as data: its pages, their blocks of code, and the marks before them.

A mark is an HTML comment right before a block: `<!-- session: NAME -->`, `<!-- file: PATH -->`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^>]*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_ROW = re.compile(r"^\| (.*) \|$")


@dataclass(frozen=True)
class Block:
    """A block of code of a page. `mark` is the comment before it, if there is one."""

    page: Path
    line: int
    language: str
    text: str
    mark: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Command:
    """What is typed after a `$`, and the lines that it prints."""

    typed: str
    printed: str


def pages() -> list[Path]:
    """All pages that people read."""
    found = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("examples/*/*.md"),
    ]
    return sorted(found)


def blocks(language: str) -> list[Block]:
    """All blocks of a language."""
    return [block for page in pages() for block in _blocks(page) if block.language == language]


def commands(block: Block) -> list[Command]:
    """What a console session types and what is printed."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return [Command(typed, "\n".join(printed)) for typed, printed in found]


def rows(text: str) -> Iterator[list[str]]:
    """The rows of all tables in a text, as their cells."""
    for line in text.splitlines():
        if found := _ROW.match(line):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", found[1])]


def section(page: str, title: str) -> str:
    """What stands under a heading of a page, down to the next heading."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no heading {title}"
    return found[1]


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("text"))
        yield Block(page, line, found["language"], found["text"], found["mark"] or "")
