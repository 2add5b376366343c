"""The line shapes a log has shown so far, those seen last first, and one object for equal readings of them."""

from __future__ import annotations

from collections.abc import Sequence

from logdoctor_parsers.line_shapes import Shape, shape_of
from logdoctor_parsers.prose import without_paths
from logdoctor_parsers.readings import Reading
from logdoctor_parsers.shapes import regex_of, shape

MAX_SHAPES = 20_000  # more than any log repeats; beyond, lines are free text and not worth keeping
FREQUENT = 32  # lines of a shape after which its pattern is worth compiling
RECENT = 6  # patterns tried before a line is split


class KnownReadings:
    """One object for equal readings: identity is cheap to look up."""

    def __init__(self) -> None:
        self._readings: dict[Reading, Reading] = {}
        self._variants: dict[tuple[int, str], Reading] = {}

    def same(self, reading: Reading) -> Reading:
        """The first reading that was equal to this one."""
        return self._readings.setdefault(reading, reading)

    def with_split(self, reading: Reading, split: str) -> Reading:
        """A reading met before, its values of unsaid split read as of `split`."""
        found = self._variants.get((id(reading), split))
        if found is None:
            found = self._variants[id(reading), split] = self.same(reading.with_split(split))
        return found


class KnownShapes:
    """The shapes by their texts; `readings` are theirs."""

    def __init__(self, readings: KnownReadings) -> None:
        self._readings = readings
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self._usual: dict[tuple[str, ...], Shape] = {}  # those with values, whatever paths stand at their ends
        self._recent: list[Shape] = []

    def fitting(self, text: str) -> tuple[Shape, Sequence[str]] | None:
        """The shape of a line and its numbers, if it is one of the frequent shapes seen last."""
        for place, known in enumerate(self._recent):
            if known.regex is not None and (match := known.regex.match(text)) is not None:
                if place:
                    self._recent.insert(0, self._recent.pop(place))
                return known, match.groups()
        return None

    def of(self, parts: list[str], text: str) -> Shape:
        """The shape of a split line, worked out when it is seen first."""
        key = shape(parts)
        known = self._shapes.get(key)
        if known is None:
            usual = (*key[:-1], without_paths(key[-1]))
            if usual != key and (known := self._usual.get(usual)) is not None:
                return known
            if len(self._shapes) >= MAX_SHAPES:
                self._shapes.clear()
                self._usual.clear()
            known = self._shapes[key] = shape_of(parts, text)
            if known.reading.fields:
                known.reading = self._readings.same(known.reading)
                if usual != key:
                    self._usual[usual] = known
        known.seen += 1
        if known.seen >= FREQUENT and known.reading.fields and "%|" not in text:
            known.regex = known.regex or regex_of(parts)
            self._recent = [known, *(s for s in self._recent if s is not known)][:RECENT]
        return known

    def goes_on(self, texts: tuple[str, ...]) -> bool:
        """Whether a shape with values begins with these texts and goes on behind them."""
        begun = "\0".join(texts)
        return any(
            key != texts and "\0".join(key).startswith(begun) for key, s in self._shapes.items() if s.reading.fields
        )
