"""Takes what looks like a secret out of free text. Best effort: only for level `full`, where the customer let text go.

Every pattern is linear in the text, whatever is sent.
"""

import re
from collections.abc import Callable
from functools import lru_cache

MARK = "***"
LIMIT = 16_384
"""Characters of a text that are kept."""

_NAMES = (
    r"passw(?:or)?d|passphrase|pwd|secret|token|api[-_ ]?key|access[-_ ]?key|account[-_ ]?key|private[-_ ]?key"
    r"|credential|authori[sz]ation|cookie|session[-_ ]?id|signature|connection[-_ ]?string"
)
SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)
"""A key of this name has its value taken out, whatever that looks like."""

Replace = str | Callable[[re.Match[str]], str]


def _card(match: re.Match[str]) -> str:
    digits = [int(c) for c in match[0] if c.isdigit()]
    doubled = [d if i % 2 == 0 else (d * 2 - 9 if d > 4 else d * 2) for i, d in enumerate(reversed(digits))]  # noqa: PLR2004 - Luhn
    return match[0] if sum(doubled) % 10 else MARK


def _random(match: re.Match[str]) -> str:
    text = match[0]
    is_hex = not text.strip("0123456789abcdefABCDEF")
    mixed = any(map(str.islower, text)) and any(map(str.isupper, text)) and any(map(str.isdigit, text))
    return MARK if is_hex or mixed else text


PATTERNS: tuple[tuple[str, re.Pattern[str], Replace], ...] = (
    (
        "private keys in PEM",
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        MARK,
    ),
    ("JWTs", re.compile(r"(?<![\w-])eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"), MARK),
    (
        "credentials after Bearer, Basic or Digest",
        re.compile(r"\b(bearer|basic|digest)[ \t]{1,8}[\w.~+/=-]{6,}", re.IGNORECASE),
        rf"\1 {MARK}",
    ),
    (
        "keys and tokens of AWS, GCP, Azure, GitHub, GitLab, Slack, Stripe, OpenAI, SendGrid, npm, PyPI and alien-iac",
        re.compile(
            r"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{30,}|ya29\.[\w.-]{10,}|gh[opsur]_\w{20,}|github_pat_\w{20,}"
            r"|glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{10,}|[rsp]k_(?:live|test)_\w{10,}|sk-[\w-]{16,}|SG\.[\w-]{10,}\.[\w-]{10,}"
            r"|npm_\w{20,}|pypi-[\w-]{20,}|alien_[a-z]{2,20}_[\w-]{20,})"
        ),
        MARK,
    ),
    ("user and password in a URL", re.compile(r"(?<=://)[^\s/@]{1,512}@"), f"{MARK}@"),
    ("queries and fragments of URLs", re.compile(r"(?<=[\w/.=-])(\?|#(?=\w{1,64}=))[^\s\"'<>]+"), rf"\1{MARK}"),
    (
        "values after password, secret, token, api key, access key, credential, authorization, cookie, signature …",
        re.compile(
            rf"((?:{_NAMES})[\w.-]{{0,40}}[\"']?(?:[ \t]{{0,4}}[:=][ \t]{{0,4}}|[ \t]+is[ \t]+))"
            r"(?:\"[^\"]*\"?|'[^']*'?|[^\s,;&}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{MARK}",
    ),
    ("e-mail addresses", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"), MARK),
    ("card numbers", re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)"), _card),
    (
        "hex, or letters of both cases with digits, of 40 and more",
        re.compile(r"(?<![A-Za-z0-9+_-])[A-Za-z0-9+_-]{40,}={0,2}"),
        _random,
    ),
)
"""What each finds, how, and what comes in its place."""


def redact(text: str) -> str:
    """The text without what the patterns find, and not longer than `LIMIT`. Doing it again changes nothing."""
    found = text[: 2 * LIMIT]
    for _, pattern, instead in PATTERNS:
        found = pattern.sub(instead, found)
    return found[:LIMIT]


@lru_cache(4096)
def is_clean(text: str) -> bool:
    """Whether no pattern finds anything. Remembered: names and templates are few, and come with every item."""
    return len(text) <= LIMIT and redact(text) == text
