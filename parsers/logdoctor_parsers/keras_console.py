"""What Keras' `fit()` prints: a header line an epoch and a progress bar (`verbose=1`) or one line (`verbose=2`).

    Epoch 1/50
    285/285 [==============================] - 3s 11ms/step - loss: 2.4070 - acc: 0.4253 - val_loss: 1.6117
    1563/1563 - 37s - loss: 1.4910 - accuracy: 0.4697 - val_loss: 1.7780 - lr: 0.0100 - 37s/epoch - 24ms/step
     - 37s - loss: 1.4910 - acc: 0.4697

Only the line that closes an epoch counts: values on the way are means over a part of it. Bars of `evaluate()` and
`predict()` have no header of their own and are left out. Several fits may follow each other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from logdoctor_parsers.checkpoints import checkpoints_in
from logdoctor_parsers.contract import Ending, Fact, LogFile, Match, ParsedLog, first_problems
from logdoctor_parsers.names import canonical
from logdoctor_parsers.table_builder import TableBuilder
from logdoctor_parsers.text import TextLines, lines_of, read_lines
from logdoctor_parsers.text_ending import find_ending, last_lines

_HEADER = re.compile(r"(?:^|[\s:>\]])Epoch:? (\d+)/(\d+)\s*$")
_BAR = re.compile(r"(?:^|\s|:)(\d+)/(\d+) ?(?:\[[=>.]+\]|━|- \d+(?:\.\d+)?m?s\b)")
_BARE = re.compile(r"^\s*(?:- )?\d+s - (?=\S+: )")  # Keras 1 and 2.0 with verbose=2
_METRIC = re.compile(r"^\s*([^:]{1,80}?): (-?\d+\.?\d*(?:[eE][-+]?\d+)?|nan|-?inf)\s*$", re.IGNORECASE)
_WHOLE_NUMBER_TEXT = re.compile(r"(?:\.\d{4}(?:[eE][-+]\d{2,})?|nan|inf)\s*$", re.IGNORECASE)
_TIMING = re.compile(r"\s+-\s+[\d.]+\w*/(?:epoch|step)\s*$")
_RATE = re.compile(
    r"Epoch 0*(\d+): (ReduceLROnPlateau|LearningRateScheduler) (?:reducing|setting) learning rate to "
    r"([-+.\deE]+?)\.?\s*$"
)
_SAMPLES = re.compile(r"^\s*Train on (\d+) samples")
_IMAGES = re.compile(r"^\s*Found (\d+) (?:validated image filenames|images|files) belonging to (\d+) classes")


@dataclass
class _Epoch:
    """The epoch being read: its header, and the line that closes it so far."""

    label: int
    planned: int
    metrics: dict[str, float] = field(default_factory=dict)
    line: int = 0
    on_the_way: bool = False


@dataclass(frozen=True)
class KerasConsole:
    """Console output of Keras' fit(), any version."""

    name: str = "keras-console"
    description: str = "console output of Keras' fit(), verbose 1 or 2"

    def sniff(self, file: LogFile) -> Match:
        try:
            head = lines_of(file.head)
        except (OSError, EOFError):
            return Match.NO
        headed = False
        for text in head.texts:
            headed = headed or bool(_HEADER.search(text))
            if headed and (_BAR.search(text) or _BARE.search(text)) and ": " in text:
                return Match.SURE
        return Match.NO

    def parse(self, file: LogFile) -> ParsedLog:
        lines = read_lines(file)
        reading = _Reading()
        for number, text in lines:
            reading.read(number, text)
        torn = lines.unterminated and reading.drop_cut(lines)
        reading.close()
        ending = Ending("torn", lines.physical, "the last line is cut off") if torn else reading.ending(lines)
        return ParsedLog(
            self.name,
            reading.table.build(),
            tuple(reading.facts.values()),
            first_problems(reading.headless),
            lines=lines.physical,
            data=reading.data,
            unreadable=len(reading.headless),
            ending=ending,
            tail=last_lines(lines, ending),
            checkpoints=checkpoints_in(lines),
            dialect=f"{reading.fits} fits" if reading.fits > 1 else "",
        )


class _Reading:
    """Collects epochs line by line."""

    def __init__(self) -> None:
        self.table = TableBuilder()
        self.facts: dict[str, Fact] = {}
        self.data = self.fits = self.last_data = 0
        self._epoch: _Epoch | None = None
        self._last: _Epoch | None = None
        self._smallest = 0
        self._total = 0
        self.headless: list[tuple[int, str]] = []

    def read(self, number: int, text: str) -> None:
        if (header := _HEADER.search(text)) is not None:
            self._open(int(header[1]), int(header[2]), number)
        elif (bar := _BAR.search(text)) is not None:
            self._progress(number, text, int(bar[1]), int(bar[2]))
        elif _BARE.match(text):
            self._finish(number, text, on_the_way=False)
        elif (rate := _RATE.search(text)) is not None:
            # A plateau's new rate holds from the next epoch on, a schedule's is printed before its epoch.
            epoch = int(rate[1]) + (rate[2] == "ReduceLROnPlateau")
            self.table.add(rate[2], float(rate[3]), number, epoch=epoch, metric="lr", split="")
        elif (samples := _SAMPLES.match(text)) is not None:
            self._state("dataset_size", int(samples[1]), number)
        elif (images := _IMAGES.match(text)) is not None:
            self._state("dataset_size", int(images[1]), number)
            self._state("classes", int(images[2]), number)

    def _open(self, label: int, planned: int, number: int) -> None:
        self.close()
        if self._last is None or label <= self._last.label:
            self.fits += 1
        self._epoch = _Epoch(label, planned)
        self._smallest = 0
        self.facts["epochs"] = Fact("epochs", planned, number)

    def _progress(self, number: int, text: str, done: int, total: int) -> None:
        if done == total and self._lacks_header(number, text, total):
            self.headless.append((number, "an epoch without its line 'Epoch n/m': its values are left out"))
            return
        if self._epoch is None:
            return
        self._smallest = self._smallest or done
        if done < total:
            return
        self._finish(number, text, on_the_way="ETA:" in text)
        if self._epoch.line == number:
            self._count(number, text, total)
            self._total = total

    def _lacks_header(self, number: int, text: str, total: int) -> bool:
        """Whether a line with validation closes no epoch that is open: the header before it is damaged."""
        epoch, metrics = self._epoch, read_metrics(text)
        if "ETA:" in text or not any(key.startswith("val_") for key in metrics):
            return False
        if epoch is None:
            return True
        closed = number != epoch.line and total == self._total and any(key.startswith("val_") for key in epoch.metrics)
        return closed and metrics != epoch.metrics and not metrics.keys() > epoch.metrics.keys()

    def _finish(self, number: int, text: str, *, on_the_way: bool) -> None:
        """Take the metrics of a line with k = n, unless the epoch is closed already and this is another bar."""
        epoch, metrics = self._epoch, read_metrics(text)
        if epoch is None or not metrics:
            return
        extended = metrics.keys() > epoch.metrics.keys()
        if not epoch.metrics or epoch.on_the_way or number == epoch.line or extended:
            epoch.metrics, epoch.line, epoch.on_the_way = metrics, number, on_the_way

    def _count(self, number: int, text: str, total: int) -> None:
        """Whether bars count batches or (before TF 2) samples: a bar's first state, or the log's own words, tell."""
        size = self.facts.get("dataset_size")
        first = self._smallest
        if "/sample" in text or (size is not None and size.value == total):
            self._state("dataset_size", total, number)
            if 1 < first < total:
                self._state("batch_size", first, number)
        elif first == 1 or ("/step" in text and first == total):
            self._state("steps_per_epoch", total, number)

    def _state(self, name: str, value: int, number: int) -> None:
        self.facts.setdefault(name, Fact(name, value, number))

    def drop_cut(self, lines: TextLines) -> bool:
        """Whether the last line is cut: in a number, or before metrics the last epoch had. Its values are dropped."""
        epoch = self._epoch
        if epoch is None or not lines.texts[-1].strip():
            return False
        if epoch.line != lines.physical:
            return not epoch.metrics
        before = self._last.metrics.keys() if self._last else epoch.metrics.keys()
        whole = _WHOLE_NUMBER_TEXT.search(_TIMING.sub("", lines.texts[-1])) is not None
        if whole and epoch.metrics.keys() >= before:
            return False
        epoch.metrics = {}
        return True

    def close(self) -> None:
        """Write the epoch read so far."""
        epoch = self._epoch
        if epoch is None:
            return
        self._last, self._epoch = epoch, None
        for key, value in epoch.metrics.items():
            name = canonical(key)
            split = "" if name.metric == "lr" else name.split or "train"
            self.table.add(key, value, epoch.line, epoch=epoch.label, metric=name.metric, split=split)
        if epoch.metrics:
            self.data += 1
            self.last_data = epoch.line

    def ending(self, lines: TextLines) -> Ending:
        found = find_ending(lines, self.last_data)
        if found.kind == "open" and self._last and self._last.metrics and self._last.label == self._last.planned:
            return Ending("finished", self._last.line, f"epoch {self._last.label} of {self._last.planned}")
        return found


def read_metrics(text: str) -> dict[str, float]:
    """The `name: number` items of a progress line, which are separated by ` - `."""
    found = (_METRIC.match(item) for item in re.split(r"\s-\s", text))
    return {item[1]: float(item[2]) for item in found if item is not None}


PARSER = KerasConsole()
