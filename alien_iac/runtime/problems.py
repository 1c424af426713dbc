"""What is wrong with something that was read, in one line that shows no value of it."""

from __future__ import annotations

from typing import TypeVar

import pydantic

from alien_iac.errors import InvalidInput

M = TypeVar("M", bound=pydantic.BaseModel)


def problems(error: pydantic.ValidationError) -> str:
    """All of them: where each one is, and what should be there."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the whole'}: {e['msg']}" for e in found)


def parsed(model: type[M], body: bytes) -> M:
    """A request's body as its model. InvalidInput says all that is wrong with it."""
    try:
        return model.model_validate_json(body)
    except pydantic.ValidationError as error:
        raise InvalidInput(f"the body is no {model.__name__}: {problems(error)}") from None
