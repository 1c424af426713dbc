"""The base of everything that travels as JSON: camelCase on the wire, frozen in Python."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Wire(BaseModel):
    """A body written by us and read strictly: unknown fields are refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")

    def dump(self) -> dict[str, object]:
        """The body as JSON-ready data, without the fields that are not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Open(Wire):
    """A body that a newer or older peer may have written: unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore")
