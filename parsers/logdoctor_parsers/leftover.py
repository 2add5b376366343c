"""Lines that look like data and gave nothing: what a person must see to trust a reading, and to mend it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from logdoctor_parsers.prefix import strip
from logdoctor_parsers.shapes import shape, split
from logdoctor_parsers.text import TextLines

SHOWN = 5
MAX_SEARCHED = 20_000  # lines searched for repeated shapes
MIN_REPEATS = 3  # lines of one shape that make it look like data

_METRIC = re.compile(
    r"(?:loss|losses|accuracy|acc|perplexity|ppl|entropy|error|miou|psnr|bleu|reward)\b[^\w\n]{0,4}[-+]?\d*\.\d",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"\b(?:best|sav(?:e|ed|ing)|scale|improved|decreased|increased|weights?|patience|lr_mult)\b|\w\(", re.I
)
_DECIMALS = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?%?"
_ROW = re.compile(rf"[\s|\[(]*{_DECIMALS}(?:[\s,;|]+{_DECIMALS}){{2,}}[\s|\])]*$")


def looks_like_data(text: str) -> bool:
    """Whether a line without any value read names a metric beside a number, or is a row of three numbers or more."""
    if _METRIC.search(text) is not None:
        return _ASIDE.search(text) is None
    return "." in text and _ROW.match(text) is not None


@dataclass
class Leftover:
    """How many lines look like data and gave nothing, and the first of them: line number and text."""

    count: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, text: str) -> None:
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append((line, text))


def repeated_lines(lines: TextLines) -> list[tuple[int, str]]:
    """The first lines of the shape with a decimal number that a text repeats most; empty where none is repeated."""
    shapes: list[tuple[int, str, tuple[str, ...]]] = []
    for place, raw in zip(range(MAX_SEARCHED), lines.texts, strict=False):
        text, _ = strip(raw)
        if "." in text and len(parts := split(text)) > 2 and any("." in number for number in parts[1::2]):
            shapes.append((lines.numbers[place], text, shape(parts)))
    common = Counter(key for _, _, key in shapes).most_common(1)
    if not common or common[0][1] < MIN_REPEATS:
        return []
    return [(line, text) for line, text, key in shapes if key == common[0][0]][:SHOWN]
