"""Property values as a review shows them: no secret, no file's content, and nothing that differs from run to run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alien_iac.engine import values


@dataclass(frozen=True)
class Shown:
    """`places`: folders of this run, and what stands for each."""

    places: Mapping[str, str]

    def value(self, given: object) -> Any:
        """The value as JSON: every secret is `[secret]`, a file its name and hash, a whole number an integer."""
        return values.rewrite(values.masked(given), self._part)

    def _part(self, part: Any) -> Any:
        if values.mark(part) in {values.ASSET, values.ARCHIVE}:
            name = Path(str(part.get("path", part.get("uri", "text")))).name
            return {"file": name, "sha256": part.get("hash", "")}
        if values.mark(part) == values.RESOURCE:
            return part.get("id") or part["urn"]
        if isinstance(part, float) and part.is_integer():
            return int(part)
        return self._text(part) if isinstance(part, str) else part

    def _text(self, text: str) -> str:
        for place, instead in self.places.items():
            text = text.replace(f"{place}/", f"{instead}/" if instead else "").replace(place, instead)
        return text
