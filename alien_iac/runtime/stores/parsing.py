"""Reading a binding into its model, with an error that shows no value."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from alien_iac.errors import BindingInvalid
from alien_iac.protocol import environment
from alien_iac.runtime.problems import problems

M = TypeVar("M", bound=BaseModel)


def parse(model: type[M], raw: dict[str, Any], resource_id: str) -> M:
    """The binding as its model. BindingInvalid names the variable and every field that is wrong."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        # Without the cause: pydantic's text quotes the values, and one of them may be a queue's token.
        raise BindingInvalid(f"{environment.binding_name(resource_id)}: {problems(error)}") from None
