"""What a check found."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Severity = Literal["error", "warning", "info"]


class Finding(BaseModel):
    """One result of a check: where (`resource`), what (`message`), what next (`hint`). `code` is stable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    severity: Severity
    resource: str
    """The id of the component, or the config key, or the file it is about."""
    message: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.resource}: {self.message}{hint} [{self.code}]"
