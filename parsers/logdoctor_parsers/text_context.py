"""What lines of a text log say of those that follow: the epoch, iteration and split announced, plans, settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from logdoctor_parsers.contract import Fact
from logdoctor_parsers.known_shapes import KnownReadings
from logdoctor_parsers.line_shapes import Shape
from logdoctor_parsers.readings import WITHOUT_SPLIT, Reading
from logdoctor_parsers.shapes import number
from logdoctor_parsers.text_facts import facts_in


@dataclass
class Context:
    """Where the log stands; counters as printed, empty before the first.

    `count`: the iteration of the last line of training, `announced` one told by a line without values. `role`: the
    split a header names, `evaluating` that of the evaluation under way. `labels`: lines at which an epoch is named.
    `counts`: lines that do nothing but count.
    `starts`: lines at which a process begins. `planned`: totals stated, `totals` those of training's own counters.
    """

    readings: KnownReadings
    epoch: str = ""
    count: str = ""
    announced: str = ""
    role: str = ""
    evaluating: str = ""
    in_settings: bool = False
    labels: list[tuple[int, str]] = field(default_factory=list)
    counts: list[tuple[int, str]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    planned: dict[str, float] = field(default_factory=dict)
    totals: set[float] = field(default_factory=set)

    def enter(self, epoch: str, line: int) -> None:
        """An epoch is named; a new one ends the validity of announced splits."""
        if epoch != self.epoch:
            self.epoch, self.role = epoch, ""
            self.labels.append((line, epoch))

    def plan(self, reading: Reading, found: Sequence[str], line: int, *, bar: bool) -> None:
        """Totals printed beside counters are plans: `Epoch 3/90`, `iteration 20/5000`."""
        iterations = -1 if reading.in_epoch or self.epoch else reading.total
        for name, index in (("epochs", reading.epochs), ("max_iter", iterations)):
            total = number(found[index]) if index >= 0 and not reading.progress and not bar else 0
            if total > 0 and self.planned.get(name) != total:
                self.planned[name] = total
                self.facts.append(Fact(name, int(total), line))

    def announce(self, shape: Shape, found: Sequence[str], line: int, *, bar: bool) -> None:
        """Counters and the split that a line without values names."""
        reading = shape.reading
        if reading.epoch >= 0:
            self.enter(found[reading.epoch], line)
            self.announced = ""
            self.plan(reading, found, line, bar=bar)
        if reading.iterates and not reading.evaluates and not (reading.in_epoch and self.epoch):
            self.count = self.announced = found[reading.step if reading.step >= 0 else reading.count]
            self.counts.append((line, self.count))
        if reading.role:
            self.role = reading.role

    def state(self, shape: Shape, text: str, line: int, last_data: int) -> None:
        """Settings stated by a line without values, and that a process starts there (once before any data)."""
        if shape.facts and (facts := facts_in(text, line)):
            self.facts += facts
            self.planned.update({fact.name: fact.value for fact in facts if fact.name == "max_iter"})
        self.in_settings = shape.facts or shape.section or (self.in_settings and text[:1].isspace())
        if shape.start and (not self.starts or self.starts[-1] < last_data):
            self.starts.append(line)

    def placed(self, reading: Reading) -> Reading:
        """The reading with the split its context gives; a line that counts iterations and names none is training."""
        if reading.summary and not reading.role:
            return self.readings.with_split(reading, self.evaluating or "val")
        if reading.role:
            self.evaluating = reading.role if reading.evaluates else ""
            return reading
        if not reading.counted and self.role:
            return self.readings.with_split(reading, self.role)
        return self.readings.with_split(reading, "train") if reading.iterates else reading

    def is_setting(self, reading: Reading) -> bool:
        """A lone value that belongs to a dump of settings: a rate before any epoch, or between other settings."""
        if all(f.metric in WITHOUT_SPLIT for f in reading.fields):
            return self.in_settings or not (self.epoch or self.count)
        return self.in_settings and not reading.role

    def counts_evaluation(self, reading: Reading, found: Sequence[str]) -> bool:
        """Whether the line is one of many of a single evaluation: its counter runs to a total of its own."""
        if reading.progress:
            return True
        if not reading.evaluates or reading.total < 0 or any(f.split == "train" for f in reading.fields):
            return False
        return bool(self.epoch) or (bool(self.count) and number(found[reading.total]) not in self.totals)

    def only_evaluates(self, reading: Reading, found: Sequence[str]) -> bool:
        """Whether a line counts batches under the header of an evaluation: before any training, or to another total."""
        announced = self.role in ("val", "test") and not reading.role and reading.total >= 0
        return (
            announced and reading.epoch < 0 and (not (self.epoch or self.count) or self._has_own_total(reading, found))
        )

    def _has_own_total(self, reading: Reading, found: Sequence[str]) -> bool:
        """Whether its counter runs to a total that none of training's does."""
        return bool(self.totals) and number(found[reading.total]) not in self.totals
