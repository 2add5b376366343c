"""Shapes of lines: what is left of a line when its numbers are taken out.

A log repeats a handful of shapes thousands of times. What a line means is worked out once a shape; the numbers
themselves never decide.
"""

from __future__ import annotations

import re

# A number inside a Latin word (`Acc@1`, `Acc@4e+00`, `conv2d`, `top-5`, `loss/2`) is part of the name, but `epoch24`
# and `ep24` are counters. A time of day (`0:03:17`) counts as one number, so that a table cell holds it. The pattern
# begins with one set of characters, which `re` can skip to fast; what precedes a number is looked at behind its first.
# None touches a byte that is no text (U+FFFD): more of it may have stood there.
_EXPONENT = r"(?:[eE][-+]?\d+)?+"
# No part of `0..5`, `1.2.3`, `1.l`, `15.ð`, `7í`, `8.0e=04`, `1.6e-]`, `2.1ek00`, `7n3024`, `2.1m21e+00`; `3ème` is 3.
_END = (
    r"(?!\.+\d|[eE](?:[^\s\w]\d|[A-Za-z_]\d\d\b|[-+][^\s\d])|[A-Za-z](?:\d{3}|\d+[eE][-+]\d))"
    r"(?:(?<!\.)|(?![A-Za-z_]|[^\x00-\x7f]))(?![\u00c0-\u00e7\u00e9-\u024f])"
)
_ABSOLUTE = (
    rf"\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?(?![\d,])|\d+(?::\d\d)+(?:\.\d+)?(?!\d)|\d++\.?+\d*+{_EXPONENT}{_END}"
    rf"|\.\d++{_EXPONENT}"
)
NUMBER = re.compile(
    r"([-+.\dnNiI]"
    r"(?:(?<![A-Za-z0-9_@.\-\ufffd].)(?<![A-Za-z]/.)(?<!\d[eE]\+.)"
    r"|(?<=poch\d)|(?<=POCH\d)|(?<=[Ii]ter\d)|(?<=[Ss]tep\d)|(?<=\b[Ee][Pp]\d))"
    rf"(?:(?<=\d)(?:(?:(?<=\d)\d{{0,2}}(?:,\d{{3}})+(?:\.\d+)?(?![\d,])|\d*(?::\d\d)+(?:\.\d+)?(?!\d)|\d*+\.?+\d*+{_EXPONENT}{_END}))"
    rf"|(?<=[-+])(?:{_ABSOLUTE}|(?:nan|NaN|NAN|inf|Inf|INF|infinity|Infinity)(?![A-Za-z_]))"
    rf"|(?<=\.)\d++{_EXPONENT}"
    r"|(?<=[nN])(?:an|aN|AN)(?![A-Za-z_])|(?<=[iI])(?:nf|NF|nfinity)(?![A-Za-z_]))(?!\ufffd))"
)


def split(line: str) -> list[str]:
    """Texts at even places, the numbers between them at odd ones."""
    return NUMBER.split(line)


def shape(parts: list[str]) -> tuple[str, ...]:
    """The shape of a split line: its texts, without the blanks that pad a number."""
    return tuple(map(str.rstrip, parts[::2]))


def number(text: str) -> float:
    """The value of a number as `split` finds it; a time of day is NaN."""
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return float("nan")


def numbers(texts: list[str]) -> list[float]:
    """The values of many numbers."""
    try:
        return list(map(float, texts))
    except ValueError:
        return [number(text) for text in texts]


# As `NUMBER` finds them, but taken whole or not at all (possessive), so that matching stays linear in the line.
_WHOLE = (
    r"([-+]?(?:(?:\d{1,3}(?:,\d{3})++|\d++(?::\d\d)*+)(?:\.\d++)?+(?:[eE][-+]?\d++)?+(?![.,:]?\d)"
    r"|\.\d++(?:[eE][-+]?\d++)?+|[nN][aA][nN]|[iI]nf(?:inity)?+))"
)


_ANY_BLANKS = r"\s*+"


def regex_of(parts: list[str]) -> re.Pattern[str]:
    """A pattern for all lines of the shape of a split line, with a group for each number: faster than splitting."""
    first, *others = [re.escape(text.rstrip()) + _blanks(text) for text in parts[::2]]
    pattern = first
    for text in others:
        pattern += _WHOLE + (text if text != _ANY_BLANKS else r"(?:\s++|$)")
    return re.compile(pattern + "$")


def _blanks(text: str) -> str:
    """What may pad a number behind `text`: as much as one likes, but a word does not grow together with it."""
    return r"\s++" if text[-1:].isspace() and text.rstrip()[-1:].isalnum() else _ANY_BLANKS
