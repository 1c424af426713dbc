"""YAML (or JSON) files that people write too: read as Pulumi reads them, and edited with comments and order kept."""

import functools
import io
import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString, SingleQuotedScalarString

from alien_iac.engine.dialect import Json
from alien_iac.errors import InvalidInput

_NOT_TEXT = re.compile(
    r"|~|null|true|false|yes|no|on|off|y|n"
    r"|[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-f_]+|\d[\d_]*(:[0-5]?\d)*(\.[\d_]*)?(e[-+]?\d+)?|\.\d+(e[-+]?\d+)?|\.inf)|\.nan"
    r"|\d{4}-\d\d?-\d\d?([Tt\s].*)?",
    re.IGNORECASE,
)
"""Plain scalars that some YAML version reads as something else than text."""

_ODD = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\xa0\u2028\u2029\ufeff]")
"""Characters that only a double-quoted scalar keeps."""


def read(path: Path) -> Json:
    """The file's value as plain JSON types. Raises InvalidInput with the path where it is no YAML."""
    text = path.read_text(encoding="utf-8-sig")
    try:
        return _plain(json.loads(text) if path.suffix == ".json" else _parsed(text))
    except (YAMLError, ValueError) as error:
        raise InvalidInput(f"could not read {path}: {error}") from error


@functools.lru_cache(maxsize=64)
def _parsed(text: str) -> Json:
    """Kept by the text: an update reads the same two files a dozen times, and a parser in Python takes its time."""
    return YAML(typ="safe", pure=True).load(text)


def edited(text: str, value: Mapping[str, Any], suffix: str) -> str:
    """The document with its value replaced: what stays keeps its place and comments, what is new comes last."""
    if suffix == ".json":
        return json.dumps(value, indent=4, ensure_ascii=False) + "\n"
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 2**20
    yaml.indent(mapping=2, sequence=4, offset=2)
    old = yaml.load(text) if text.strip() else None
    buffer = io.StringIO()
    yaml.dump(_merged(old, value), buffer)
    return buffer.getvalue()


def _merged(old: Json, new: Json) -> Json:
    """The new value on the old nodes."""
    if isinstance(old, CommentedMap) and isinstance(new, Mapping):
        for key in [key for key in old if key not in new]:
            del old[key]
        for key, item in new.items():
            old[key if key in old else _node(key)] = _merged(old.get(key), item)
        return old
    if isinstance(old, CommentedSeq) and isinstance(new, list):
        del old[len(new) :]
        for index, item in enumerate(new):
            if index < len(old):
                old[index] = _merged(old[index], item)
            else:
                old.append(_merged(None, item))
        return old
    if isinstance(old, SingleQuotedScalarString | DoubleQuotedScalarString) and isinstance(new, str):
        return old if old == new else _quoted(type(old), new)
    return _node(new)


def _quoted(kind: type[str], text: str) -> str:
    """The text in the author's own quotes, where they can hold it."""
    return DoubleQuotedScalarString(text) if _ODD.search(text) or "\n" in text else kind(text)


def _node(value: Json) -> Json:
    if isinstance(value, Mapping):
        return CommentedMap({_node(key): _node(item) for key, item in value.items()})
    if isinstance(value, list):
        return CommentedSeq([_node(item) for item in value])
    if isinstance(value, str) and _ODD.search(value):
        return DoubleQuotedScalarString(value)
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString(value)
    if isinstance(value, str) and _NOT_TEXT.fullmatch(value):
        return DoubleQuotedScalarString(value)
    return value


def _plain(value: Json) -> Json:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, date) else value
