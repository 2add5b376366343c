"""Text formats written as data: `Epoch {epoch}/{_} loss {loss} val {val_loss} lr {lr}`.

`{name}` stands for a number: `epoch`, `epochs` (planned), `step`, `max_iter` (planned), `batch` and `batches` (position
in the epoch) say where a line stands, `{_}` is skipped, every other name is the tag of a series. Blanks match any
blanks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from logdoctor_parsers.checkpoints import checkpoints_in
from logdoctor_parsers.contract import Fact, LogFile, Match, ParsedLog
from logdoctor_parsers.keys import Kind, name_of
from logdoctor_parsers.phrases import Key, key_before
from logdoctor_parsers.prefix import strip
from logdoctor_parsers.readings import Field, Reading
from logdoctor_parsers.shapes import NUMBER, number, split
from logdoctor_parsers.table_builder import TableBuilder
from logdoctor_parsers.text import TextLines, read_lines
from logdoctor_parsers.text_ending import find_ending, last_lines

POSITIONS = ("epoch", "step", "batch", "batches")
MAX_COMPARED = 5000  # lines searched for the nearest one
LONGEST, COMPARED = 4096, 400  # characters of a line a pattern is sought in: searching may take their square
PLANNED = ("epochs", "max_iter")
# Possessive: a number is taken whole or not at all, so that matching stays linear in the line.
_VALUE = r"[-+]?(?:\d++(?:,\d{3})*+(?:\.\d++)?+(?:[eE][-+]?\d++)?+|\.\d++(?:[eE][-+]?\d++)?+|(?i:nan|inf(?:inity)?))"
_FIELD = re.compile(r"\{([^{}]*)\}")


class PatternError(ValueError):
    """A pattern that cannot be used, or that fits no line; the message says what to change."""


@dataclass(frozen=True)
class Pattern:
    """One line format. `name`: what `logdoctor formats` calls it. `split` is that of series whose name says none."""

    template: str
    name: str = ""
    split: str = ""

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Names in the order of the regular expression's groups."""
        return tuple(name.strip() for name in _FIELD.findall(self.template) if name.strip() != "_")

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """The template compiled. Errors: PatternError where it names no series or a name twice."""
        tags = [name for name in self.fields if name not in POSITIONS + PLANNED]
        if not tags:
            raise PatternError(f"pattern {self.template!r} names no value: write {{loss}} where the loss stands")
        if len(set(self.fields)) < len(self.fields):
            raise PatternError(f"pattern {self.template!r} uses a name twice: write {{_}} for numbers to skip")
        return re.compile("".join(self._pieces()))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """What stands between the fields, without blanks: a line that lacks any of it needs no second look."""
        return tuple(word for literal in _FIELD.split(self.template)[::2] for word in literal.split())

    def _pieces(self) -> list[str]:
        """The regular expression in steps: one a literal, one a field."""
        pieces = []
        ends = [*_FIELD.finditer(self.template), None]
        place = 0
        for match in ends:
            literal = self.template[place : match.start() if match else len(self.template)]
            if literal:
                pieces.append(_literal(literal))
            if match is None:
                break
            place = match.end()
            if match[1].strip() == "_":
                following = self.template[place : place + 1]
                stop = "" if following in ("", " ", "{", "\t") else re.escape(following)
                pieces.append(rf"\s*+[^\s{stop}]++")
            else:
                pieces.append(rf"\s*+({_VALUE})%?")
        return pieces

    def values(self, line: str) -> dict[str, str] | None:
        """The numbers by name; None where the line does not fit."""
        match = self.regex.search(line, 0, LONGEST)
        if match is not None and match.end() == LONGEST < len(line):
            return None  # its last number may go on
        return None if match is None else dict(zip(self.fields, match.groups(), strict=True))

    def reading(self, line: str) -> Reading | None:
        """The same as a `Reading` of the line's shape."""
        if not all(word in line for word in self.words):
            return None
        match = self.regex.match(line.strip())
        if match is None or match.end() < len(line.strip()):
            return None
        starts = {found.start(1): index for index, found in enumerate(NUMBER.finditer(line.strip()))}
        places = {name: starts.get(match.start(group), -1) for group, name in enumerate(self.fields, 1)}
        fields = tuple(
            Field(place, name, name_of(name).metric, name_of(name).split or self.split)
            for name, place in places.items() if name not in POSITIONS + PLANNED and place >= 0
        )  # fmt: skip
        step, batch = places.get("step", -1), places.get("batch", -1)
        return Reading(
            fields, places.get("epoch", -1), places.get("epochs", -1), batch, places.get("batches", -1), step,
            "batch" if batch >= 0 else "", in_epoch=batch >= 0, known=True,
        )  # fmt: skip

    def reach(self, line: str) -> int:
        """How many pieces of the template fit, from its start: how near the line is."""
        pieces = self._pieces()
        for count in range(len(pieces), 0, -1):
            if re.search("".join(pieces[:count]), line[:COMPARED]):
                return count
        return 0


def _literal(text: str) -> str:
    """A literal with any blanks for blanks; at its edges blanks may be missing beside a field."""
    parts = [re.escape(part) for part in text.split()]
    if not parts:
        return r"\s++"
    lead = r"\s*+" if text[0].isspace() else ""
    return lead + r"\s++".join(parts) + (r"\s*+" if text[-1].isspace() else "")


@dataclass(frozen=True)
class PatternParser:
    """Reads a text log by one or more patterns. A line without a position takes that of the line before."""

    patterns: tuple[Pattern, ...]
    name: str = "pattern"
    description: str = "lines that fit the patterns given with --pattern or in logdoctor.toml"

    def sniff(self, file: LogFile) -> Match:
        """MAYBE where a line of the head fits."""
        text = file.head.decode("utf-8", "replace")
        return Match.MAYBE if any(p.values(line) for line in text.splitlines() for p in self.patterns) else Match.NO

    def parse(self, file: LogFile) -> ParsedLog:
        """All lines that fit. Errors: OSError; PatternError where none does, with the nearest line."""
        lines = read_lines(file)
        builder, facts = TableBuilder(), dict[str, Fact]()
        here: dict[str, float] = {}
        data = last = 0
        for line_number, raw in lines:
            text, wall_time = strip(raw)
            found = next(((p, v) for p in self.patterns if (v := p.values(text) or p.values(raw))), None)
            if found is None:
                continue
            pattern, values = found
            here = _position(values, here)
            for name in PLANNED:
                if name in values:
                    facts.setdefault(name, Fact(name, int(number(values[name])), line_number))
            for name, value in values.items():
                if name not in POSITIONS + PLANNED:
                    said = name_of(name)
                    builder.add(name, number(value), line_number, wall_time=wall_time, metric=said.metric,
                                split=said.split or pattern.split, **here)  # fmt: skip
            data, last = data + 1, line_number
        if not data:
            raise PatternError(_no_match(file.name, lines, self.patterns))
        ending = find_ending(lines, last)
        return ParsedLog(
            self.name, builder.build(), tuple(facts.values()), lines=lines.physical, data=data,
            ending=ending, tail=last_lines(lines, ending), checkpoints=checkpoints_in(lines),
        )  # fmt: skip


def template_for(line: str) -> str:
    """A pattern to begin with for a line: counters and metrics that the line names, else the first decimal number as
    the loss; `{_}` for all other numbers."""
    parts = split(line.strip())
    names = [_name_for(key_before(text)) for text in parts[:-1:2]]
    if not any(name not in ("_", *POSITIONS) for name in names):
        first = next((i for i, number in enumerate(parts[1::2]) if "." in number), -1)
        if first < 0:
            return ""
        names[first] = "loss"
    if "epoch" not in names and "step" not in names and not parts[0].strip(" [(#") and parts[1].isdigit():
        names[0] = "step"
    names = [name if name not in names[:i] else "_" for i, name in enumerate(names)]
    return "".join(text + (f"{{{names[i]}}}" if i < len(names) else "") for i, text in enumerate(parts[::2]))


def _name_for(key: Key) -> str:
    if key.kind is Kind.EPOCH or key.kind is Kind.COUNTER:
        return "epoch" if key.kind is Kind.EPOCH else "step"
    return key.phrase if key.kind is Kind.METRIC else "_"


def _position(values: dict[str, str], before: dict[str, float]) -> dict[str, float]:
    """Where a line stands: its own counters, else those of the line before."""
    own = {name: number(values[name]) for name in POSITIONS if name in values}
    return own or {name: value for name, value in before.items() if name in ("epoch", "step")}


def _no_match(name: str, lines: TextLines, patterns: Sequence[Pattern]) -> str:
    """The error sentence: the line that comes nearest to a pattern."""
    pattern = patterns[0]
    candidates = zip(lines.texts[:MAX_COMPARED], lines.numbers[:MAX_COMPARED], strict=True)
    text, line = max(candidates, default=("", 0), key=lambda item: max(p.reach(item[0]) for p in patterns))
    nearest = f"the nearest is line {line}: {text.strip()[:160]!r}"
    return f"{name}: no line fits the pattern {pattern.template!r}; {nearest}"
