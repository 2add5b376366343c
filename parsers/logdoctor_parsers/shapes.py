"""Shapes of lines: what is left of a line when its numbers are taken out.

A log repeats a handful of shapes thousands of times. What a line means is worked out once a shape; the numbers
themselves never decide.
"""

from __future__ import annotations

import re

# A number inside a word (`Acc@1`, `conv2d`, `top-5`, `loss/2`) is part of the name, but `epoch24`
# is a counter. Blanks before a number belong to its
# padding. Times of day (`0:03:17`) count as one number, so that a table cell holds them.
NUMBER = re.compile(
    r"(?:(?<=[Ee]poch)|(?<=EPOCH)|(?<=[Ii]ter)|(?<=[Ss]tep)| *(?<![\w@.\-])(?<![A-Za-z]/))"
    r"([-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])|\d+(?::\d\d)+(?:\.\d+)?(?!\d)|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
    r"|(?:nan|NaN|NAN|inf|Inf|INF|infinity|Infinity)(?![A-Za-z_])))"
)


def split(line: str) -> list[str]:
    """Texts at even places, the numbers between them at odd ones; the texts are the line's shape."""
    return NUMBER.split(line)


def number(text: str) -> float:
    """The value of a number as `split` finds it; a time of day is NaN."""
    try:
        return float(text)
    except ValueError:
        return float("nan") if ":" in text else float(text.replace(",", ""))


def numbers(texts: list[str]) -> list[float]:
    """The values of many numbers."""
    try:
        return list(map(float, texts))
    except ValueError:
        return [number(text) for text in texts]
