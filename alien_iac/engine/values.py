"""Property values as plain JSON: secrets, unknowns, and the other marked values of Pulumi's wire. All pure."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from alien_iac.engine.dialect import Json
from alien_iac.engine.model import SECRET, SIGNATURE, UNKNOWN, Properties

ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"

Path = Sequence[str | int]


def mark(value: Json) -> str:
    """The signature of a marked value, empty for a plain one."""
    return value.get(SIGNATURE, "") if isinstance(value, dict) else ""


def secret(value: Json) -> Json:
    """The value as a secret, once."""
    return value if mark(value) == SECRET else {SIGNATURE: SECRET, "value": value}


def each(value: Json) -> Iterator[Json]:
    """The value and everything inside it."""
    yield value
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inside:
        yield from each(one)


def has_unknown(value: Json) -> bool:
    """Whether anything inside is not known yet."""
    return any(one == UNKNOWN for one in each(value) if isinstance(one, str))


def has_secret(value: Json) -> bool:
    """Whether anything inside is a secret."""
    return any(mark(one) == SECRET for one in each(value))


def rewrite(value: Json, change: Callable[[Json], Json]) -> Json:
    """The value with `change` applied to every part, the innermost first."""
    if isinstance(value, dict):
        value = {k: rewrite(v, change) for k, v in value.items()}
    elif isinstance(value, list):
        value = [rewrite(v, change) for v in value]
    return change(value)


def bare(value: Json) -> Json:
    """The value with secret marks taken off."""
    return rewrite(value, lambda v: v.get("value") if mark(v) == SECRET else v)


def masked(value: Json) -> Json:
    """The value as it may be shown: every secret is `[secret]`."""
    return rewrite(value, lambda v: "[secret]" if mark(v) == SECRET else v)


def downgraded(value: Json) -> Json:
    """Output values as what providers and the state know: the plain value, a secret, or an unknown."""
    return rewrite(value, _downgrade)


def _downgrade(value: Json) -> Json:
    if mark(value) != OUTPUT:
        return value
    inner = value.get("value", UNKNOWN)
    return secret(inner) if value.get("secret") else inner


def dependencies(value: Json) -> list[str]:
    """The URNs on which output values inside depend."""
    return [urn for one in each(value) if mark(one) == OUTPUT for urn in one.get("dependencies", ())]


def without_references(value: Json) -> Json:
    """Resource references as older providers and programs know them: the id, or the URN where there is none."""
    return rewrite(value, lambda v: v.get("id", v["urn"]) if mark(v) == RESOURCE else v)


def annotate(outputs: Json, inputs: Json) -> Json:
    """Outputs with the secret marks of equally named inputs, for a provider that knows no secrets."""
    if not isinstance(outputs, dict) or not isinstance(inputs, dict) or mark(outputs) or mark(inputs):
        return secret(outputs) if has_secret(inputs) else outputs
    return {k: annotate(v, inputs[k]) if k in inputs else v for k, v in outputs.items()}


def sealed(outputs: Properties, inputs: Properties, additional: Sequence[str]) -> dict[str, Any]:
    """Outputs in which all that was asked to be secret, or is a secret as an input, is marked so."""
    kept = {k for k in additional if k != "id"} | {k for k, v in inputs.items() if mark(v) == SECRET}
    return {k: secret(v) if k in kept else v for k, v in outputs.items()}


def changed_keys(old: Properties, new: Properties) -> list[str]:
    """The top-level keys whose plain values differ."""
    before, after = bare(dict(old)), bare(dict(new))
    return sorted(k for k in {*before, *after} if before.get(k) != after.get(k))


def parse_path(text: str) -> list[str | int]:
    """`a.b[0]["c d"].*` as its keys. `*` stands for every key or element."""
    found = re.findall(r'\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\[(\*)\]|([^.\[\]]+)', text)
    return [int(index) if index else quoted.replace('\\"', '"') or star or name for index, quoted, star, name in found]


def contains(outer: Path, inner: Path) -> bool:
    """Whether a path names another one or something around it."""
    return len(outer) <= len(inner) and all(a in ("*", b) for a, b in zip(outer, inner, strict=False))


def reset(path: Path, old: Json, new: Json) -> Json:
    """The new value with what the path names put back to the old one. What has no place there stays as it is."""
    if not path:
        return old
    if mark(new) == SECRET:
        return {**new, "value": reset(path, bare(old), new["value"])}
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = sorted({*old, *new}) if path[0] == "*" else [str(path[0])]
        merged = dict(new)
        for key in keys:
            _reset_key(merged, key, path[1:], old)
        return merged
    if isinstance(old, list) and isinstance(new, list):
        places = range(len(new)) if path[0] == "*" else [path[0]]
        return [reset(path[1:], old[i], v) if i in places and i < len(old) else v for i, v in enumerate(new)]
    return new


def _reset_key(merged: dict[str, Any], key: str, rest: Path, old: Mapping[str, Any]) -> None:
    if rest and key in old and key in merged:
        merged[key] = reset(rest, old[key], merged[key])
    elif not rest and key in old:
        merged[key] = old[key]
    elif not rest:
        merged.pop(key, None)


def ignoring(paths: Sequence[str], old: Properties, new: Properties) -> dict[str, Any]:
    """New inputs in which everything that `ignoreChanges` names has its old value."""
    kept: Json = dict(new)
    for text in paths:
        kept = reset(parse_path(text), dict(old), kept)
    return dict(kept)
