"""Lines of progress bars (tqdm): what the bar itself says, and messages printed behind one."""

from __future__ import annotations

import re
from typing import NamedTuple

_BAR = re.compile(
    r"(?P<before>.*?)\d+%\|[^|]*\|\s*(?P<n>[\d.]+\w?)/(?P<total>[\d.]+\w?)\s*\[(?P<inside>[^\]]*)\](?P<after>.*)"
)
_SPEED = re.compile(r"\d(?:it/s|s/it)|\?it/s|\d+/\d+ \[\d+:\d")
_POSTFIX = re.compile(r"(?:it/s|s/it|/s)\b,?\s*(.*)|<\S+,\s*(.*)")


class Bar(NamedTuple):
    """What counts of a line with a bar: `text`, either the bar's own words or a `message` printed behind it.

    `described` is what stands before the percentage; `n` and `total` are the bar's position.
    """

    text: str
    message: bool
    described: str
    n: str
    total: str


def bar_in(line: str) -> Bar | None:
    """The bar a line shows; None where `%|` only separates two values."""
    match = _BAR.match(line)
    described = line[: line.index("%|")].rstrip("0123456789").rstrip(": ")
    if match is None:
        return Bar("", False, described, "", "") if _SPEED.search(line) else None
    if "[" in match["inside"] or _SPEED.search(match["after"]):  # two bars over each other say nothing
        return Bar("", False, "", "", "")
    if any(character.isdigit() for character in match["after"]):
        return Bar(match["after"].strip(), True, described, match["n"], match["total"])
    postfix = _POSTFIX.search(match["inside"])
    said = (postfix[1] or postfix[2] or "") if postfix else ""
    return Bar(f"{described} [{match['n']}/{match['total']}] {said}", False, described, match["n"], match["total"])
