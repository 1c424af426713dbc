"""Names: the rule for ids and prefixes, and physical names planned as plain strings from both."""

import hashlib
import re

MAX_ID = 63
"""Characters of an id; what a DNS label holds."""
MIN_PREFIX, MAX_PREFIX = 3, 40
RANDOM = 6
"""Random characters at the end of a prefix."""
MAX_CUSTOMER = MAX_PREFIX - RANDOM - 1
CUSTOMER_RULE = f"at most {MAX_CUSTOMER} lower-case letters, digits and single hyphens, a letter first; such as acme"

_ID = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_PREFIX = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_HASH = 8


def is_id(text: str) -> bool:
    """Whether the text may name a component: lower-case letters, digits and single hyphens inside."""
    return bool(_ID.fullmatch(text)) and "--" not in text


def is_prefix(text: str) -> bool:
    """Whether the text may be `alien:prefix`: an id of 3 to 40 characters that starts with a letter."""
    return bool(_PREFIX.fullmatch(text)) and "--" not in text and MIN_PREFIX <= len(text) <= MAX_PREFIX


def is_customer(text: str) -> bool:
    """Whether the text may name a customer: with a hyphen and six random characters it is their `alien:prefix`."""
    return is_prefix(f"{text}-{'x' * RANDOM}")


def physical_name(prefix: str, resource_id: str, *, limit: int, separator: str = "-") -> str:
    """The name of a resource in the customer's account: `<prefix>-<id>`, never longer than `limit` characters.

    A longer one keeps its head and ends in eight hex digits of the whole name's SHA-256, so that two long names stay
    apart and a name never changes. `separator=""` is for services that take letters and digits only; names that lose
    their hyphens carry the hash too, since `a-b` and `ab` would meet otherwise.
    """
    whole = f"{prefix}-{resource_id}"
    short = whole.replace("-", separator)
    if len(short) <= limit and (separator or "-" not in resource_id):
        return short
    digest = hashlib.sha256(whole.encode()).hexdigest()[:_HASH]
    head = short[: limit - _HASH - len(separator)].rstrip("-")
    return f"{head}{separator}{digest}"
