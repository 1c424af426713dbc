"""Units as an author writes them: "512Mi", "3m", "4d"."""

import re

_BYTES = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_bytes(text: str) -> int:
    """Bytes of "512Mi" or "20Gi". ValueError, with the allowed forms, for anything else."""
    found = re.fullmatch(r"([1-9]\d*)(Ki|Mi|Gi|Ti)", text)
    if not found:
        raise ValueError(f'"{text}" is not a size; write a whole number and Ki, Mi, Gi or Ti, such as "512Mi"')
    return int(found[1]) * _BYTES[found[2]]


def parse_seconds(text: str) -> int:
    """Seconds of "45s", "3m", "2h" or "4d". ValueError, with the allowed forms, for anything else."""
    found = re.fullmatch(r"([1-9]\d*)(s|m|h|d)", text)
    if not found:
        raise ValueError(f'"{text}" is not a duration; write a whole number and s, m, h or d, such as "3m"')
    return int(found[1]) * _SECONDS[found[2]]
