"""Pulumi's type tokens of the components: public, so that a renamed one needs an alias."""

from collections.abc import Mapping

TOKENS: Mapping[str, str] = {
    "Container": "alien:index:Container",
    "Foundation": "alien:index:Foundation",
    "Function": "alien:index:Function",
    "Kv": "alien:index:Kv",
    "Queue": "alien:index:Queue",
    "Secret": "alien:index:Secret",
    "Storage": "alien:index:Storage",
}
