"""The lines of a Caffe log that tell rather than count: starts, parameters, snapshots, data passes, how it ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from logdoctor_parsers.caffe_prototxt import net_facts, read_message, solver_facts, test_stages
from logdoctor_parsers.caffe_scan import parse_number
from logdoctor_parsers.contract import Checkpoint, Ending, Fact

# `I0621 17:36:52.042147  7797 solver.cpp:243] …`, `[0] I0427 …` (Intel, several nodes),
# `1508138445  INFO: src/caffe/solver.cpp : line 218 : …`; NVCaffe 0.17 adds `[device.rank]` or `(device.rank)`.
PREFIX = re.compile(
    rb"(?:\[\d+\] )?(?:[IWEF]\d{4,8} [\d:.]+ +(\d+) [^\]]*\]|\d+ +(?:INFO|WARNING|ERROR|FATAL): .*? : line \d+ :)"
    rb"\s*(?:[\[(][\d.]+[\])]\s*)?(.*)"
)
RANK = re.compile(rb"\[\d+\] ")
TEST_VALUE = re.compile(rb"(Test loss|Test score #\d+|class(?: AP)? ?\w+): (\S+)")
PLAIN = re.compile(
    rb"(?P<crashed>\*\*\* (?:SIG\w+|Check failure)"
    rb"|\b(?:Killed|Segmentation fault|Aborted(?! at)|Bus error|Terminated)\b|out of memory"
    rb"|Traceback \(most recent call last\)|terminate called|No space left on device)"
    rb"|(?P<stopped>KeyboardInterrupt)|(?P<finished>^done solving)"
    rb"|max_iters=(?P<max_iter>\d+)|'IMS_PER_BATCH': (?P<batch_size>\d+)|^(?P<dataset_size>\d+) roidb entries"
    rb"|^Wrote snapshot to: (?P<last_checkpoint>.+)"
)
CLOSINGS = ("crashed", "stopped", "finished")
GIVEN = {
    b"Resuming": ("resumed_from", re.compile(rb"Resuming from (.+)")),
    b"Restoring": ("resumed_from", re.compile(rb"Restoring previous solver status from (.+)")),
    b"Finetuning": ("finetuned_from", re.compile(rb"Finetuning from (.+)")),
}
SNAPSHOT = re.compile(rb"Snapshotting (?P<state>solver state )?to (?:\w+ proto file ?|HDF5 file )?(?P<path>.+)")


class Line(NamedTuple):
    """One line: its number, thread and message as glog gives them, and the whole text."""

    number: int
    thread: bytes
    message: bytes
    text: bytes


class Told(NamedTuple):
    """A number told by a line of its own while testing: `Test loss`, `Test score #k` (2014), `classK` (SSD)."""

    line: int
    name: str
    value: float
    text: bytes


class Closing(NamedTuple):
    """A line that ends a process: `finished`, `stopped` or `crashed`."""

    kind: str
    line: int
    text: bytes


@dataclass
class MessageReader:
    """Fed with every line that carries no curve, in order; collects what the lines tell.

    `starts`: lines at which a process began. `restarts`: lines at which a data thread had passed over its data once.
    `stages`: the stage of each test net, where the solver names one. `test_outputs`: what the last test net puts out.
    `checkpoints`: snapshots written.
    """

    starts: list[int] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    restarts: list[Line] = field(default_factory=list)
    closings: list[Closing] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    test_outputs: list[str] = field(default_factory=list)
    version: str = ""
    _phase: str = ""
    _dump: list[tuple[int, bytes]] = field(default_factory=list)  # a heading and the unprefixed lines that follow it

    def feed(self, number: int, text: bytes) -> None:
        """Read one line."""
        text = text.strip(b"\0\r")
        found = PREFIX.match(text)
        if found is None:
            self._unprefixed(number, text)
            return
        self.finish()
        line = Line(number, found[1] or b"", found[2], text)
        if text.startswith(b"F") or line.message.startswith(b"Check failed"):
            self.closings.append(Closing("crashed", number, line.message))
        elif reader := READERS.get(line.message.partition(b" ")[0]):
            reader(self, line)
        elif (value := TEST_VALUE.match(line.message)) and (known := parse_number(value[2])) is not None:
            self.told.append(Told(number, value[1].decode("utf-8", "replace"), known, text))

    def finish(self) -> None:
        """Close the parameters being printed; to be called after the last line too."""
        if not self._dump:
            return
        (line, heading), *lines = self._dump
        self._dump = []
        message = read_message(lines)
        if b"solver" in heading and message.fields:
            self.facts += solver_facts(message, line)
            self.stages = test_stages(message)
        self.facts += net_facts(message, self._phase)

    def _unprefixed(self, number: int, text: bytes) -> None:
        """Parameters, or what the shell, Python or the C library printed."""
        if self._dump and number > self._dump[-1][0] + 1:
            self.finish()
        if self._dump:
            self._dump.append((number, RANK.sub(b"", text, count=1) if text.startswith(b"[") else text))
        elif found := PLAIN.search(text):
            name = str(found.lastgroup)
            if name in CLOSINGS:
                self.closings.append(Closing(name, number, text))
            else:
                value = found[name].decode("utf-8", "replace")
                self.facts.append(Fact(name, int(value) if value.isdigit() else value, number))
                if name == "last_checkpoint":
                    self.checkpoints.append(Checkpoint(value.strip(), number))

    def _initializing(self, line: Line) -> None:
        if line.message.startswith(b"Initializing solver"):
            self.starts.append(line.number)
        self._dump = [(line.number, line.message)]

    def _solving(self, line: Line) -> None:
        if not self.starts or any(closing.line > self.starts[-1] for closing in self.closings):
            self.starts.append(line.number)

    def _creating(self, line: Line) -> None:
        if line.message.startswith(b"Creating train"):
            self._phase = "TRAIN"
        elif line.message.startswith(b"Creating test"):
            self._phase, self.test_outputs = "TEST", []

    def _given(self, line: Line) -> None:
        name, pattern = GIVEN[line.message.partition(b" ")[0]]
        if found := pattern.match(line.message):
            self.facts.append(Fact(name, found[1].decode("utf-8", "replace").strip(), line.number))

    def _snapshotting(self, line: Line) -> None:
        """Weights, and the solver state that follows them: what training goes on from."""
        if found := SNAPSHOT.match(line.message):
            path = found["path"].decode("utf-8", "replace").strip()
            self.checkpoints.append(Checkpoint(path, line.number))
            if found["state"] is None:
                self.facts.append(Fact("last_checkpoint", path, line.number))

    def _devices(self, line: Line) -> None:
        if found := re.match(rb"Using GPUs? (\d[\d, ]*)", line.message):
            self.facts.append(Fact("devices", len(found[1].replace(b",", b" ").split()), line.number))

    def _images(self, line: Line) -> None:
        if found := re.match(rb"A total of (\d+) images", line.message):
            name = "test_size" if self._phase == "TEST" else "dataset_size"
            self.facts.append(Fact(name, int(found[1]), line.number))

    def _restarting(self, line: Line) -> None:
        if b"etching" in line.message:
            self.restarts.append(line)

    def _optimization(self, line: Line) -> None:
        kind = "stopped" if b"stopped" in line.message else "finished" if b"Done" in line.message else ""
        if kind:
            self.closings.append(Closing(kind, line.number, line.message))

    def _this(self, line: Line) -> None:
        if found := re.match(rb"This is NVCaffe ([\d.]+)", line.message):
            self.version = f"NVCaffe {found[1].decode()}"
        elif self._phase == "TEST" and (output := re.match(rb"This network produces output (\S+)", line.message)):
            self.test_outputs.append(output[1].decode("utf-8", "replace"))


READERS: Mapping[bytes, Callable[[MessageReader, Line], None]] = {
    b"Initializing": MessageReader._initializing,
    b"Solving": MessageReader._solving,
    b"Creating": MessageReader._creating,
    b"Using": MessageReader._devices,
    b"A": MessageReader._images,
    b"Restarting": MessageReader._restarting,
    b"Optimization": MessageReader._optimization,
    b"This": MessageReader._this,
    b"Snapshotting": MessageReader._snapshotting,
    **dict.fromkeys(GIVEN, MessageReader._given),
}


def ending(closings: list[Closing], last_start: int, last_data: int) -> Ending:
    """How the last process of a log closes: the first closing line behind its numbers, else a crash among them.

    `Optimization Done.` alone proves nothing: Caffe prints it after Ctrl-C too, behind `Optimization stopped early.`
    """
    mine = [closing for closing in closings if closing.line > last_start]
    behind = [closing for closing in mine if closing.line > last_data]
    crashes = [closing for closing in mine if closing.kind == "crashed"]
    by_hand = [closing for closing in behind if closing.kind == "stopped"]  # Python shows a traceback too
    found = next(iter(by_hand or behind or crashes[-1:]), None)
    return Ending() if found is None else Ending(found.kind, found.line, found.text.decode("utf-8", "replace").strip())
