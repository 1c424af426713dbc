"""Property paths such as `names[0].first` or `["a.b"].c`, and reading, setting and removing what they point to.

Values are config values: scalars, lists and maps, where a map with the single key `secure` is a sealed text.
"""

import re
from typing import Any

from alien_iac.engine.dialect import Json
from alien_iac.errors import InvalidInput

Path = tuple[str | int, ...]

_PART = re.compile(r'\.?(?P<name>[^.\[]+)|\.?\["(?P<quoted>(?:\\"|[^"])*)"\]|\[(?P<index>-?\d+)\]')


def parse(text: str) -> Path:
    """The steps of a path. Raises InvalidInput where it is none."""
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None or (not position and text.startswith(".")):
            raise InvalidInput(f"invalid config key path: {text!r} does not go on at position {position}")
        if part["index"] is not None:
            steps.append(int(part["index"]))
        else:
            steps.append(part["name"] if part["quoted"] is None else part["quoted"].replace('\\"', '"'))
        position = part.end()
    if not steps:
        raise InvalidInput("empty config key path")
    if not isinstance(steps[0], str) or not steps[0]:
        raise InvalidInput("first path segment of config key must be a string")
    return tuple(steps)


def get(value: Json, path: Path) -> tuple[Json, bool]:
    """What the path points to, and whether there is anything."""
    for step in path:
        if not _holds(value, step):
            return None, False
        value = value[step]
    return value, True


def put(value: Json, path: Path, new: Json, *, place: str) -> Json:
    """The value with `new` at the path. Raises InvalidInput where the path does not fit what is there."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        return _put_in_list(value, step, rest, new, place)
    if isinstance(value, dict) and not is_sealed(value):
        if not isinstance(step, str):
            raise InvalidInput(f"{place}: key for a map must be a string, not {step}")
        if not rest and not value and step == "secure" and isinstance(new, str):
            raise InvalidInput(f'{place}: maps with the single key "secure" are reserved')
        return value | {step: put(value.get(step), rest, new, place=f"{place}.{step}")}
    if value is None or ("." not in place and "[" not in place):  # a top value that is no container is replaced
        return put([] if isinstance(step, int) else {}, path, new, place=place)
    raise InvalidInput(f"{place}: expected {'an array' if isinstance(step, int) else 'a map'}")


def _put_in_list(value: list[Any], step: str | int, rest: Path, new: Json, place: str) -> list[Any]:
    if not isinstance(step, int):
        raise InvalidInput(f"{place}: key for an array must be an int, not {step!r}")
    if not 0 <= step <= len(value):
        raise InvalidInput(f"{place}: array index {step} out of range (there are {len(value)})")
    old = value[step] if step < len(value) else None
    return [*value[:step], put(old, rest, new, place=f"{place}[{step}]"), *value[step + 1 :]]


def remove(value: Json, path: Path) -> Json:
    """The value without what the path points to; unchanged where there is nothing."""
    if not get(value, path)[1]:
        return value
    step, rest = path[0], path[1:]
    if isinstance(value, list) and isinstance(step, int):
        middle = [remove(value[step], rest)] if rest else []
        return [*value[:step], *middle, *value[step + 1 :]]
    if rest:
        return value | {step: remove(value[step], rest)}
    left = {key: item for key, item in value.items() if key != step}
    if is_sealed(left):
        raise InvalidInput(f'{step}: maps with the single key "secure" are reserved')
    return left


def _holds(value: Json, step: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(step, int) and 0 <= step < len(value)
    return isinstance(value, dict) and not is_sealed(value) and step in value


def is_sealed(value: Json) -> bool:
    """Whether this is the sealed form of a secret."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("secure"), str)
