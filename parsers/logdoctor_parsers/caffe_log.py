"""A whole Caffe log: its rows on one clock, of one rank, and what its other lines tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from logdoctor_parsers.caffe_clock import posix_seconds, stamps_of
from logdoctor_parsers.caffe_lines import Iterations, Kind, Label, Outputs, Reader
from logdoctor_parsers.caffe_messages import MessageReader
from logdoctor_parsers.caffe_scan import Mask, blocks
from logdoctor_parsers.contract import HEAD_BYTES, Fact, Floats, LogFile, Problem


@dataclass(frozen=True)
class Log:
    """Rows with their times in POSIX seconds (NaN where unknown), names of the outputs, and all the other lines told.

    `lines`: how many there are. `restart_times` belong to `messages.restarts`. `unreadable`: lines that looked like
    data, with what they hold.
    """

    iterations: Iterations
    times: Floats
    outputs: Outputs
    output_times: Floats
    restart_times: Floats
    labels: Sequence[Label]
    messages: MessageReader
    lines: int
    unreadable: Sequence[tuple[int, str]] = ()
    problems: tuple[Problem, ...] = ()

    def keep(self, iterations: Mask, outputs: Mask, *problems: Problem) -> Log:
        """The log with these rows only, and problems that say why."""
        return replace(
            self,
            iterations=self.iterations.take(iterations),
            times=self.times[iterations],
            outputs=self.outputs.take(outputs),
            output_times=self.output_times[outputs],
            problems=self.problems + problems,
        )

    @property
    def last_line(self) -> int:
        """The line of the last number, 0 without any."""
        return int(max(self.iterations.line.max(initial=0), self.outputs.line.max(initial=0)))


def read_log(body: bytes, file: LogFile) -> Log:
    """Read all lines of a file; `body` is its text."""
    reader, messages = Reader(), MessageReader()
    iterations, outputs = [Iterations.empty()], [Outputs.empty()]
    unreadable: list[tuple[int, str]] = []
    lines = 0
    for block in blocks(body):
        lines += len(block)
        rows = reader.read(block)
        iterations.append(rows.iterations)
        outputs.append(rows.outputs)
        unreadable += rows.unreadable
        for index in np.flatnonzero(rows.other).tolist():
            messages.feed(block.first_line + index, block.line(index))
    messages.finish()
    outputs.append(_told(messages, reader.labels))
    counted, joined = Iterations.join(iterations), Outputs.join(outputs)
    del iterations, outputs  # as much memory again
    if messages.told:
        joined = joined.take(np.argsort(joined.line, kind="stable"))
    times = _times(counted, joined, messages, file, body)
    log = Log(counted, times[0], joined, times[1], times[2], reader.labels, messages, lines, unreadable)
    return _without_evaluations(_lowest_rank(log))


def _told(messages: MessageReader, labels: list[Label]) -> Outputs:
    """Test results with a line of their own as outputs of the test net, their names added to the labels."""
    told = messages.told
    codes: dict[str, int] = {}
    for one in told:
        if one.name not in codes:
            codes[one.name] = len(labels)
            labels.append(Label("test", len(codes), _scored(one.name, messages.test_outputs), None))
    return Outputs(
        np.array([one.line for one in told], np.int64),
        np.full(len(told), -1, np.int64),
        *stamps_of([one.text for one in told]),
        np.array([codes[one.name] for one in told], np.int64),
        np.array([one.value for one in told], np.float64),
    )


def _scored(name: str, test_outputs: list[str]) -> str:
    """`Test score #1` of 2014 with the name of the test net's output 1, which the net's own lines tell."""
    number = name.removeprefix("Test score #")
    known = number.isdigit() and int(number) < len(test_outputs)
    return f"{name}: {test_outputs[int(number)]}" if known else name


def _times(
    iterations: Iterations, outputs: Outputs, messages: MessageReader, file: LogFile, body: bytes
) -> list[Floats]:
    """POSIX seconds of iterations, outputs and restarts, read off one clock that runs through the file."""
    restarts = messages.restarts
    told = np.array([restart.number for restart in restarts], np.int64)
    parts = ((iterations.line, iterations.stamps), (outputs.line, outputs.stamps))
    return posix_seconds((*parts, (told, stamps_of([one.text for one in restarts]))), file, body[:HEAD_BYTES])


def _lowest_rank(log: Log) -> Log:
    """Of several ranks in one console, each with the loss on its own data, the lowest; with a note of the others."""
    ranks = np.unique(np.concatenate([rows.rank[rows.rank >= 0] for rows in (log.iterations, log.outputs)]))
    if len(ranks) < 2:
        return log
    left_out = ", ".join(str(rank) for rank in ranks[1:].tolist())
    note = Problem(0, f"only rank {ranks[0]} is read; the numbers of rank {left_out} are left out")
    mine = (-1, ranks[0])
    return log.keep(np.isin(log.iterations.rank, mine), np.isin(log.outputs.rank, mine), note)


def _without_evaluations(log: Log) -> Log:
    """Without the one loss that a process with `max_iter: 0` prints: it only tests a net."""
    for fact in [fact for fact in log.messages.facts if fact.name == "max_iter" and fact.value == 0]:
        low, high = process_around(fact, log.messages.starts)
        train = np.isin(log.outputs.label, [code for code, label in enumerate(log.labels) if label.phase == "train"])
        rows = (log.iterations.line < low) | (log.iterations.line >= high) | (log.iterations.kind == Kind.TEST)
        outputs = (log.outputs.line < low) | (log.outputs.line >= high) | ~train
        note = Problem(fact.line, "max_iter is 0: this process only tested a net; its loss is left out")
        log = log.keep(rows, outputs, note)
    return log


def process_around(fact: Fact, starts: Sequence[int]) -> tuple[float, float]:
    """First line of the process that states a fact, and the first line behind that process."""
    before = [start for start in starts if start <= fact.line]
    behind = [start for start in starts if start > fact.line]
    return max(before, default=0), min(behind, default=np.inf)
