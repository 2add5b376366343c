"""The lines of a Caffe log that carry numbers: iterations and net outputs, told by their message in every fork."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Self

import numpy as np

from logdoctor_parsers.caffe_clock import Stamps, stamps
from logdoctor_parsers.caffe_scan import Block, Mask, numbers, parse_number, positions, stands_at
from logdoctor_parsers.contract import Floats, Ints

ITERATION, OUTPUT = b"Iteration ", b" net output"
EPOCHS = re.compile(rb"([\d.]+)/([\d.]+)ep, loss")  # NVCaffe 0.17: epochs done / planned
MOST_NETS = 1000  # that one solver tests: a larger number is damaged
SHOWN = 80  # characters of a line quoted in a problem
FEW_LABELS, LONGEST_WORD = 64, 64  # up to here outputs are found by comparing arrays; bytes compared


class Kind(IntEnum):
    """What an `Iteration N` line says."""

    OTHER = 0
    LOSS = 1
    LR = 2
    TEST = 3


@dataclass(frozen=True)
class _Arrays:
    """Parallel arrays, one row a line of the log."""

    line: Ints
    rank: Ints
    date: Ints
    second: Floats

    @property
    def stamps(self) -> Stamps:
        return Stamps(self.date, self.second)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))

    def take(self, rows: Mask | Ints) -> Self:
        if rows.dtype == np.bool_ and rows.all():
            return self
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))


@dataclass(frozen=True)
class Iterations(_Arrays):
    """`Iteration N …` lines: `step` N, `value` (loss or rate), `epoch` (NVCaffe 0.17), `net` tested."""

    kind: Ints
    step: Floats
    value: Floats
    epoch: Floats
    net: Ints

    @classmethod
    def empty(cls) -> Self:
        none, whole = np.empty(0), np.empty(0, np.int64)
        return cls(whole, whole, whole, none, whole, none, none, none, whole)


@dataclass(frozen=True)
class Outputs(_Arrays):
    """`Train|Test net output #k: name = value` lines: `label` indexes `Reader.labels`."""

    label: Ints
    value: Floats

    @classmethod
    def empty(cls) -> Self:
        whole = np.empty(0, np.int64)
        return cls(whole, whole, whole, np.empty(0), whole, np.empty(0))


@dataclass(frozen=True)
class Label:
    """A net output: phase (`train` or `test`), number, name, and its weight in the total loss (None: not a loss)."""

    phase: str
    number: int
    name: str
    weight: float | None


@dataclass(frozen=True)
class BlockRows:
    """What one block holds: rows, lines that looked like data and could not be read, and which lines are neither."""

    iterations: Iterations
    outputs: Outputs
    unreadable: tuple[tuple[int, str], ...]
    other: Mask


class Reader:
    """Reads blocks one after the other; `labels` are the net outputs met so far, in order."""

    def __init__(self) -> None:
        self.labels: list[Label] = []
        self._codes: dict[bytes, int] = {}

    def read(self, block: Block) -> BlockRows:
        """All rows of a block."""
        equals = np.flatnonzero(block.buffer[: block.end] == ord("=")) - 1
        equals = equals[stands_at(block, np.maximum(equals, 0), b" = ")]
        iterations, torn = _iterations(block, equals)
        outputs, bad = self._outputs(block, equals)
        other = np.ones(len(block), np.bool_)
        for lines in (iterations.line, outputs.line):
            other[lines - block.first_line] = False
        unreadable = np.unique(np.concatenate((torn, bad)))
        other[unreadable] = False
        told = tuple((block.first_line + int(i), _quoted(block.line(int(i)))) for i in unreadable)
        return BlockRows(iterations, outputs, told, other)

    def _outputs(self, block: Block, equals: Ints) -> tuple[Outputs, Ints]:
        """Rows of net outputs, and the lines (in the block) of those that cannot be read."""
        at = positions(block, OUTPUT)
        at = at[stands_at(block, at - 5, b"Train") | stands_at(block, at - 4, b"Test")]
        index, equal = _line_and_equal(block, at, equals)
        good = equal >= 0
        found = numbers(block, equal[good] + 3)
        bad = np.concatenate((index[~good], index[good][~found.readable]))
        at, equal, index = (column[good][found.readable] for column in (at, equal, index))
        label = self._label_codes(block, at, equal)
        stamp, rank = _prefix(block, index)
        return Outputs(block.first_line + index, rank, *stamp, label, found.value[found.readable]), bad

    def _label_codes(self, block: Block, at: Ints, equal: Ints) -> Ints:
        """The code of each output's label: those of one label are found together, by comparing all with the first.

        Where there are very many labels, or long ones, each is looked up by itself.
        """
        codes = np.full(len(at), -1, np.int64)
        rest = np.arange(len(at))
        for _ in range(FEW_LABELS):
            if not len(rest):
                break
            row = int(rest[0])
            key = block.data[at[row] - 5 : equal[row] + 3]
            if len(key) > LONGEST_WORD:
                break
            same = stands_at(block, at[rest] - 5, key)
            codes[rest[same]] = self._code(block, key, int(equal[row]))
            rest = rest[~same]
        for row in rest.tolist():
            codes[row] = self._code(block, block.data[at[row] - 5 : equal[row] + 3], int(equal[row]))
        return codes

    def _code(self, block: Block, key: bytes, equal: int) -> int:
        """The code of one label, made on first use."""
        if key not in self._codes:
            self._codes[key] = len(self.labels)
            self.labels.append(_label(key[:-3], block.data[equal : block.data.find(b"\n", equal)]))
        return self._codes[key]


def _label(key: bytes, rest: bytes) -> Label:
    """`Train net output #0: name` and what follows it, ` = 0.7 (* 0.3 = 0.21 loss)`, → label."""
    head, _, name = key.partition(b": ")
    number = re.search(rb"#(\d+)", head)
    weight = re.search(rb"\(\* (\S+) = ", rest)
    return Label(
        "train" if head.startswith(b"Train") else "test",
        int(number[1]) if number else 0,
        name.decode("utf-8", "replace"),
        parse_number(weight[1]) if weight else None,
    )


def _iterations(block: Block, equals: Ints) -> tuple[Iterations, Ints]:
    """Rows of iteration lines, and the lines (in the block) of those that cannot be read."""
    at = positions(block, ITERATION)
    count = numbers(block, at + len(ITERATION))
    digit = (block.buffer[at + len(ITERATION)] >= ord("0")) & (block.buffer[at + len(ITERATION)] <= ord("9"))
    at, step, length = at[digit], count.value[digit], count.length[digit]
    after = at + len(ITERATION) + length
    index, equal = _line_and_equal(block, at, equals)
    kind = _kinds(block, after, equal)
    value = np.full(len(at), np.nan)
    valued = np.isin(kind, (Kind.LOSS, Kind.LR))
    found = numbers(block, equal[valued] + 3)
    value[valued] = found.value
    readable = np.isfinite(step) & (kind != Kind.OTHER)
    readable[valued] &= found.readable
    net = np.zeros(len(at), np.int64)
    tested = kind == Kind.TEST
    number = numbers(block, after[tested] + len(b", Testing net (#")).value
    net[tested] = np.where((number >= 0) & (number < MOST_NETS), number, 0)
    epoch = _epochs(block, index, equal)
    stamp, rank = _prefix(block, index)
    rows = Iterations(block.first_line + index, rank, *stamp, kind, step, value, epoch, net)
    # Status lines name an iteration too (`MultiStep Status: Iteration 810, step = 1`), but do not begin with it.
    begins = stands_at(block, np.maximum(at - 2, 0), b"] ")
    return rows.take(readable), index[~readable & begins]


def _kinds(block: Block, after: Ints, equal: Ints) -> Ints:
    """What each iteration line says: the word before its first ` = `, or `, Testing net` right after the number."""
    kind = np.full(len(after), Kind.OTHER, np.int64)
    room = equal - 6 >= 0
    kind[room & stands_at(block, np.maximum(equal - 6, 0), b", loss")] = Kind.LOSS
    kind[room & stands_at(block, np.maximum(equal - 4, 0), b", lr")] = Kind.LR
    kind[stands_at(block, after, b", Testing")] = Kind.TEST
    return kind


def _line_and_equal(block: Block, at: Ints, equals: Ints) -> tuple[Ints, Ints]:
    """For each offset its line in the block and the first ` = ` behind it on that line (−1: none)."""
    index = np.searchsorted(block.ends, at)
    padded = np.append(equals, len(block.buffer))
    equal = padded[np.searchsorted(equals, at)]
    return index, np.where(equal < block.ends[index], equal, -1) if len(at) else equal


def _prefix(block: Block, index: Ints) -> tuple[Stamps, Ints]:
    """glog's stamp of each line, and the rank in front of it (`[3] I0427 …`, Intel's multi-node runs; −1: none)."""
    start = block.starts[index]
    rank = np.full(len(index), -1, np.int64)
    ranked = block.buffer[start] == ord("[")
    if ranked.any():
        found = _ranks(block, start[ranked])
        rank[ranked] = found
        start = start.copy()
        start[ranked] += [len(f"[{r}] ") if r >= 0 else 0 for r in found.tolist()]
    return stamps(block, start), rank


def _ranks(block: Block, start: Ints) -> Ints:
    """The n of `[n] ` at each offset, −1 where something else stands there."""
    texts = (block.data[s + 1 : s + 8].partition(b"] ") for s in start.tolist())
    return np.array([int(head) if closed and head.isdigit() else -1 for head, closed, _ in texts], np.int64)


def _epochs(block: Block, index: Ints, equal: Ints) -> Floats:
    """Epochs done, where the line tells them before its first ` = ` (NVCaffe 0.17 only)."""
    epoch = np.full(len(index), np.nan)
    for row in np.flatnonzero(stands_at(block, np.maximum(equal - 8, 0), b"ep, loss")).tolist():
        if told := EPOCHS.search(block.line(int(index[row]))):
            epoch[row] = float(told[1])
    return epoch


def _quoted(line: bytes) -> str:
    text = line.strip(b"\0 \r").decode("utf-8", "replace")
    return f"cannot be read as a number of Caffe's: {text[:SHOWN]!r}"
