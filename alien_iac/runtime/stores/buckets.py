"""Which of a Kv's sixteen partitions holds a key, as the public `alienplatform` SDK reckons it: SipHash-1-3 of the key.

No library of a few lines' size has this variant with a key of zeros; both cloud layouts that part their items need it.
"""

from __future__ import annotations

BUCKETS = 16
_MASK = (1 << 64) - 1


def bucket(key: str) -> int:
    """0 to 15."""
    # A string is hashed with a byte after it that no UTF-8 holds.
    return _siphash13(key.encode() + b"\xff") % BUCKETS


def _siphash13(data: bytes) -> int:
    state = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    whole = len(data) // 8 * 8
    words = [int.from_bytes(data[at : at + 8], "little") for at in range(0, whole, 8)]
    words.append(len(data) % 256 << 56 | int.from_bytes(data[whole:], "little"))
    for word in words:
        a, b, c, d = _round(state[0], state[1], state[2], state[3] ^ word)
        state = (a ^ word, b, c, d)
    state = (state[0], state[1], state[2] ^ 0xFF, state[3])
    for _ in range(3):
        state = _round(*state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _round(a: int, b: int, c: int, d: int) -> tuple[int, int, int, int]:
    a, c = (a + b) & _MASK, (c + d) & _MASK
    b, d = _turn(b, 13) ^ a, _turn(d, 16) ^ c
    a, c = (_turn(a, 32) + d) & _MASK, (c + b) & _MASK
    d, b = _turn(d, 21) ^ a, _turn(b, 17) ^ c
    return a, b, _turn(c, 32), d


def _turn(word: int, bits: int) -> int:
    return (word << bits | word >> (64 - bits)) & _MASK
