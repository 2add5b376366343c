"""`key: [numbers]` in a text, JSON or Python: whole lists, and what damage has left of others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite

from logdoctor_parsers.contract import Problem
from logdoctor_parsers.json_stream import LineIndex
from logdoctor_parsers.names import SPLITS
from logdoctor_parsers.record_table import names_loss, names_quality
from logdoctor_parsers.records import number

_KEY = r"""(['"])([^'"\n]{1,80})\1\s*:\s*(?:(?:np\.)?array\(\s*)?"""
# 'loss': [0.5, …]   "loss": array([…], dtype=float32)   "loss": {"0": 0.5, …}
_LIST = re.compile(_KEY + r"(\[[^\[\]{}]*\]|\{[^\[\]{}]*\})")
_SPLIT_OPENED = re.compile(rf"""['"]({"|".join(SPLITS)})['"]\s*:\s*\{{""", re.IGNORECASE)
_OPENED = re.compile(_KEY + r"[\[{]")
_CUT_IN_FIRST = re.compile(r"[\ufeff\s\[]*\{\s*" + _KEY + r"\[[^\[\]{}]*$")
_ITEM = re.compile(r"[^,\s\[\]{}][^,\[\]{}]*")
_INDEX = re.compile(r"""^\s*['"]?\d+['"]?\s*:\s*""")
_NUMPY_SCALAR = re.compile(r"(?:np\.|numpy\.)?(?:float|int)\d*\(([^()]*)\)")
_PIECE = re.compile(r"\d\.\d+\s*,\s*-?\d+\.\d")  # of a list of numbers
_FEW = 2  # numbers that one damage makes of others
_NUMBER = r"-?(?:\d[\d.eE+\-]*|nan|NaN|inf|Infinity)"
_CLOSED_BEFORE = re.compile(  # 0.5, 0.4],   "8": 0.5, "9": 0.4},   0.5, 0.4], dtype=float32),
    rf"""{_NUMBER}\s*,\s*(?:['"]?\d+['"]?\s*:\s*)?{_NUMBER}\s*[\]}}]\s*(?:,\s*dtype=\w+\s*)?\)?\s*,\s*$"""
)
_BETWEEN = re.compile(r"(?:dtype=\w+|[ \t\r\n,)])*")  # lists of one dict
_TAIL = 200  # characters that hold the last two numbers of a list
_CLOSED = re.compile(r"[\]}]\s*[,}\])]?\s*$")


@dataclass(frozen=True)
class Curve:
    """One key's list: numbers, the line of each, and whether it follows the list before in the same dict.

    `start` and `end` are its place in the text. `behind`: so many of the numbers stand behind a damaged stretch of
    `gap` characters, so that their places count from the end of the list (-1: the list is whole). `astray`: it is of
    another length than the lists beside it, so that nothing says to which epochs its numbers belong.
    """

    key: str
    values: list[float]
    lines: list[int]
    continues: bool = False
    start: int = 0
    end: int = 0
    behind: int = -1
    gap: int = 0
    astray: bool = False

    @property
    def front(self) -> int:
        """How many numbers stand in front of the damage."""
        return len(self.values) - max(self.behind, 0)

    def places(self, length: int) -> list[int]:
        """The index in a list of `length` numbers of each that is left."""
        return [*range(self.front), *range(length - max(self.behind, 0), length)]

    def placed(self, length: int) -> tuple[Curve, Problem | None]:
        """Without the numbers behind the damage whose index in a list of `length` numbers (0: unknown) is not certain.

        They may belong to another list, whose beginning the damage took, unless it is as long as what is missing, or
        took next to nothing and is shorter than a list.
        """
        if self.behind <= 0:
            return self, None
        missing = length - len(self.values)
        width = (self.end - self.start - self.gap) / len(self.values)
        fits = abs(self.gap - missing * width) <= 2 * width
        put_between = missing in (0, 1) and self.gap < length * width / 2
        if length and ((fits and missing >= 0) or put_between):
            return self, None
        why = "stand behind damage, at epochs that are not certain: left out"
        front = replace(self, values=self.values[: self.front], lines=self.lines[: self.front], behind=0)
        return front, self.problem(self.lines[self.front :], why)

    def problem(self, lines: Sequence[int], why: str) -> Problem:
        """The words for numbers of this list that stand on `lines`."""
        return Problem(lines[0], f"{len(lines)} numbers of {self.key!r} (lines {lines[0]} to {lines[-1]}) {why}")


def find_lists(text: str) -> Iterator[Curve]:
    """All `key: [numbers]` of a text, JSON or Python; lists that hold anything else are passed over."""
    lines = LineIndex(text)
    plain = _NUMPY_SCALAR.sub(_keep_length, text)
    last, split = 0, ""
    for match in _LIST.finditer(plain):
        split = _split_at(plain[last : match.start()], split)
        values, places = [], []
        for item in _ITEM.finditer(match[3]):
            value = _value(item[0])
            if value is None:
                break
            values.append(value)
            places.append(lines.line(match.start(3) + item.start()))
        else:
            if values:
                continues = _BETWEEN.fullmatch(plain, last, match.start()) is not None
                key = f"{split}/{match[2]}" if split else match[2]
                yield Curve(key, values, places, continues, match.start(), match.end())
                last = match.end()


def _split_at(between: str, before: str) -> str:
    """The split whose lists a dict holds (`"val": {"loss": […]}`): the one named last before a list."""
    opened = _SPLIT_OPENED.findall(between)
    if opened:
        return str(opened[-1])
    return "" if "}" in between else before


def is_cut_in_first(text: str) -> bool:
    """Whether a text is a dict of lists that ends within the first of them."""
    return _CUT_IN_FIRST.match(text) is not None


def left_of_lists(text: str, whole: Sequence[Curve]) -> tuple[list[Curve], list[Problem]]:
    """What damage has left of lists between (or behind) the whole ones, and the problems that name the rest."""
    lines, curves, problems = LineIndex(text), [], []
    edges = [0, *(edge for curve in whole for edge in (curve.start, curve.end)), len(text)]
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        openings = list(_OPENED.finditer(text, start, end))
        nameless = openings[0].start() if openings else end
        if _PIECE.search(text, start, nameless):
            problems.append(_lost(lines, start, nameless))
        stops = [*(opening.start() for opening in openings[1:]), end]
        for opening, stop in zip(openings, stops, strict=False):
            if not (names_loss(opening[2]) or names_quality(opening[2]) or _PIECE.search(text, opening.end(), stop)):
                continue
            curve, gap = _left(text, opening[2], opening.start(), opening.end(), stop, lines)
            curves += [curve] if curve.values else []
            problems += [_lost(lines, *gap)] if gap else []
    return curves, problems


def lost_before(text: str, whole: Sequence[Curve]) -> list[Problem]:
    """The problems that name lists of numbers which close right before a whole one and do not begin as lists do."""
    lines, problems, end = LineIndex(text), [], 0
    for curve in whole:
        if _CLOSED_BEFORE.search(text[max(end, curve.start - _TAIL) : curve.start]):
            opened = max(text.rfind("{", end, curve.start), text.rfind("[", end, curve.start), end)
            problems.append(_lost(lines, opened, curve.start))
        end = curve.end
    return problems


def _left(
    text: str, key: str, start: int, opened: int, stop: int, lines: LineIndex
) -> tuple[Curve, tuple[int, int] | None]:
    """The numbers of a damaged list in front of its first unreadable item and behind the last; where these stand."""
    items = [(item.start(), item.end(), _value(item[0])) for item in _ITEM.finditer(text, opened, stop)]
    bad = [index for index, (_, _, value) in enumerate(items) if value is None]
    for index, (before, behind) in enumerate(pairwise(items)):
        if text[before[1] : behind[0]].strip() != ",":
            bad += [index, index + 1]
    if not _CLOSED.search(text, opened, stop):  # the last number may be cut
        bad.append(len(items) - 1)
    if not items or not bad:
        return Curve(key, [], [], False, start, stop), None
    bad.sort()
    good = [*items[: bad[0]], *items[bad[-1] + 1 :]]
    values = [value for _, _, value in good if value is not None]
    places = [lines.line(at) for at, _, _ in good]
    gap = (items[bad[0]][0], items[bad[-1]][1])
    return Curve(key, values, places, True, start, stop, len(items) - 1 - bad[-1], gap[1] - gap[0]), gap


def of_another_length(text: str, curve: Curve, length: int, others: Sequence[Curve]) -> tuple[Curve, Problem]:
    """A list that closes but has not the `length` of the others: what keeps its place around an unlikely number.

    Damage that makes one number of two, or two of one, leaves some that are not written as Python writes all others.
    """
    size, odd = len(curve.values), _odd(text, curve)
    if not odd or size < length - _FEW or odd[-1] - odd[0] > _FEW or any(_odd(text, other) for other in others):
        return replace(curve, astray=True), curve.problem(
            curve.lines, f"where other lists have {length}: at epochs not known"
        )
    behind = max(0, min(size - 1 - odd[-1], length - 1 - odd[0]))
    kept = [*range(odd[0]), *range(size - behind, size)]
    values, lines = [curve.values[n] for n in kept], [curve.lines[n] for n in kept]
    lost = curve.problem(curve.lines[odd[0] : size - behind], "are damaged: left out")
    return replace(curve, values=values, lines=lines, behind=behind), lost


def _odd(text: str, curve: Curve) -> list[int]:
    """Which numbers of a whole list are not written as Python writes float64 (all: the list is not read as it was)."""
    items = [item[0].strip() for item in _ITEM.finditer(text, text.index(":", curve.start) + 1, curve.end)]
    if len(items) != len(curve.values):
        return [*range(len(curve.values))]
    pairs = enumerate(zip(items, curve.values, strict=True))
    return [n for n, (item, value) in pairs if isfinite(value) and item != repr(value)]


def _lost(lines: LineIndex, start: int, end: int) -> Problem:
    first, last = lines.line(start), lines.line(max(start, end - 1))
    message = f"{end - start} characters (lines {first} to {last}) of a list of numbers cannot be read: left out"
    return Problem(first, message)


def _value(item: str) -> float | None:
    told = _INDEX.sub("", item).strip()
    return None if "\n" in told else number(told.strip("'\""))  # a number stands on the line where its item begins


def _keep_length(match: re.Match[str]) -> str:
    """`np.float32(0.5)` → the number alone, padded so that offsets stay."""
    return match[1].strip().ljust(len(match[0]))
