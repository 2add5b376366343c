"""Random damages as disks, networks and crashes make them: each replaces one stretch of a file by other bytes."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

BLOCKS = (1, 16, 512, 4096)  # bytes


@dataclass(frozen=True)
class Damage:
    """The bytes from `start` to `end` of a file are lost, `put` stands there instead."""

    kind: str
    start: int
    end: int
    put: bytes

    def of(self, content: bytes) -> bytes:
        """The damaged file."""
        return content[: self.start] + self.put + content[self.end :]


def random_damage(content: bytes, chance: random.Random) -> Damage:
    """Any kind of damage at any place; the same for the same state of `chance`."""
    kind = chance.choice(list(KINDS))
    start, end, put = KINDS[kind](content, chance)
    return Damage(kind, start, end, put)


Stretch = tuple[int, int, bytes]


def _block(content: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(content))
    return start, min(len(content), start + min(chance.choice(BLOCKS), max(1, len(content) // 4)))


def _flipped(content: bytes, chance: random.Random) -> Stretch:
    at = chance.randrange(len(content))
    return at, at + 1, bytes([content[at] ^ 1 << chance.randrange(8)])


def _cut(content: bytes, chance: random.Random) -> Stretch:
    return chance.randrange(1, len(content)), len(content), b""


def _zeroed(content: bytes, chance: random.Random) -> Stretch:
    start, end = _block(content, chance)
    return start, end, bytes(end - start)


def _zeroed_to_the_end(content: bytes, chance: random.Random) -> Stretch:
    start, _ = _block(content, chance)
    return start, len(content), bytes(len(content) - start)


def _lost(content: bytes, chance: random.Random) -> Stretch:
    return *_block(content, chance), b""


def _overwritten(content: bytes, chance: random.Random) -> Stretch:
    start, end = _block(content, chance)
    return start, end, chance.randbytes(end - start)


def _inserted(content: bytes, chance: random.Random) -> Stretch:
    start, end = _block(content, chance)
    return start, start, chance.randbytes(end - start)


def _repeated(content: bytes, chance: random.Random) -> Stretch:
    start, end = _block(content, chance)
    return end, end, content[start:end]


def _misplaced(content: bytes, chance: random.Random) -> Stretch:
    start, end = _block(content, chance)
    other = chance.randrange(len(content) - (end - start) + 1)
    return start, end, content[other : other + end - start]


KINDS: Mapping[str, Callable[[bytes, random.Random], Stretch]] = {
    "a bit flipped": _flipped,
    "the end cut off": _cut,
    "a block of zeros": _zeroed,
    "zeros to the end": _zeroed_to_the_end,
    "a block lost": _lost,
    "a block overwritten": _overwritten,
    "a block inserted": _inserted,
    "a block repeated": _repeated,
    "a block of another place": _misplaced,
}
