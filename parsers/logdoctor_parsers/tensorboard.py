"""TensorBoard event files: the scalars of TF1 (`simple_value`) and TF2 (tensors), all of them, each CRC checked.

TensorBoard's own reader samples, and stops without a word at the first damaged byte; this one leaves out only what is
damaged and says what and where. Lines are records here, counted from 1.
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from logdoctor_parsers.contract import Ending, Fact, LogFile, Match, ParsedLog, Problem, Series, Table, first_problems
from logdoctor_parsers.event_collector import EventCollector
from logdoctor_parsers.event_message import parse_event
from logdoctor_parsers.event_wire import MalformedError
from logdoctor_parsers.names import canonical
from logdoctor_parsers.tfrecord import (
    HEADER_BYTES,
    LARGE,
    Damage,
    LargeRecord,
    Records,
    Source,
    Stream,
    Torn,
    payload_length,
    walk,
)
from logdoctor_parsers.unpack import open_regular

_LEARNING_RATE = "lr"


@dataclass(frozen=True)
class TensorBoardParser:
    """Event files as TensorFlow, Keras, PyTorch, tensorboardX and others write them."""

    name: str = "tensorboard"
    description: str = "TensorBoard event files (TF1, TF2, Keras, PyTorch, tensorboardX)"
    exclusive: bool = True  # the first record's checksum, or the name and what is no text, leave no doubt

    def sniff(self, file: LogFile) -> Match:
        """By the first record; by the name too, so that an empty or replaced event file is called what it is."""
        if _begins_with_event(file.head):
            return Match.SURE
        if "tfevents" not in file.path.name:
            return Match.NO
        return Match.MAYBE if _what_else(file.head) == _TEXT else Match.SURE

    def parse(self, file: LogFile) -> ParsedLog:
        """Everything in the file, damaged or not. Errors: OSError where it cannot be read."""
        with _open(file) as stream:
            contents = _read(Source.of(stream))
        return ParsedLog(
            self.name,
            _table(contents.collector),
            facts=_facts(contents.collector),
            problems=_problems(contents, file),
            lines=contents.records,
            data=contents.collector.records_with_numbers,
            unreadable=contents.unreadable,
            starts=tuple(contents.collector.starts),
            ending=contents.ending,
        )


PARSER = TensorBoardParser()


@dataclass
class _Contents:
    """A file, read: `gaps` are stretches that are no records."""

    collector: EventCollector = field(default_factory=EventCollector)
    gaps: list[tuple[int, str]] = field(default_factory=list)
    ending: Ending = field(default_factory=Ending)
    records: int = 0

    @property
    def unreadable(self) -> int:
        return len(self.gaps) + len(self.collector.damage)


def _open(file: LogFile) -> Stream:
    if file.content is None and file.path.suffix.lower() != ".gz":
        return open_regular(file.path)
    return io.BytesIO(file.read())


def _read(source: Source) -> _Contents:
    contents = _Contents()
    for piece in walk(source):
        match piece:
            case Records():
                contents.collector.add_records(piece)
                contents.records += len(piece)
            case LargeRecord():
                contents.collector.add_large(piece)
                contents.records += 1
            case Damage():
                contents.gaps.append((piece.number, _gap(piece)))
                contents.records += 1
                if piece.zeros and piece.offset + piece.size == source.size:
                    contents.ending = Ending("torn", piece.number, f"the file ends in {piece.size} zero bytes")
            case Torn():
                contents.ending = Ending("torn", piece.number, _torn(piece))
    return contents


def _gap(damage: Damage) -> str:
    if damage.zeros:
        return f"{damage.size} zero bytes at byte {damage.offset} instead of a record"
    return f"{damage.size} bytes at byte {damage.offset} are damaged: no record can be read there; left out"


def _torn(torn: Torn) -> str:
    whole = f"the {HEADER_BYTES} bytes of its header" if torn.expected is None else f"{torn.expected} bytes"
    return f"the last record is cut off ({torn.present} of {whole})"


def _table(collector: EventCollector) -> Table:
    """The numbers as a table; tensors of a tag that another plugin than `scalars` draws are no scalars."""
    points = collector.points()
    series: dict[Series, int] = {}
    new_codes = np.full(len(collector.tags), -1, np.int32)
    for (tag, is_tensor), code in collector.tags.items():
        if not is_tensor or collector.plugins.get(tag, b"scalars") == b"scalars":
            new_codes[code] = series.setdefault(_series(tag), len(series))
    points = points.recoded(new_codes)
    unknown = np.broadcast_to(np.nan, len(points.value))
    return Table(
        tuple(series), points.code, points.step, unknown, unknown, unknown, points.wall_time, points.value, points.line
    )


def _series(tag: bytes) -> Series:
    name = tag.decode("utf-8", "backslashreplace")
    return Series(name, *canonical(name))


def _facts(collector: EventCollector) -> tuple[Fact, ...]:
    """Hyperparameters of the hparams plugin, under the names the vocabulary has for them."""
    return tuple(Fact(_fact_name(name), value, number) for name, (value, number) in collector.hparams.items())


def _fact_name(name: str) -> str:
    return "base_lr" if canonical(name).metric == _LEARNING_RATE else name


def _problems(contents: _Contents, file: LogFile) -> tuple[Problem, ...]:
    """All that could not be read, in file order; first of all why there is no number, if there is none."""
    collector = contents.collector
    no_numbers = [
        (number, f"tag {tag.decode('utf-8', 'backslashreplace')!r} is marked as a scalar but does not hold one number")
        for tag, number in collector.no_number.items()
    ]
    found = first_problems(sorted([*contents.gaps, *collector.damage, *no_numbers]))
    if collector.records_with_numbers:
        return found
    if contents.records == contents.unreadable:
        return (Problem(0, _what_else(file.head) or "no intact record: not an event file, or damaged throughout"),)
    return (Problem(0, _why_empty(contents.collector.kinds)), *found)


def _why_empty(kinds: Counter[str]) -> str:
    if not kinds:
        return "only the version record is in it: the run ended before it logged anything"
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return f"no scalar is in it, only other things: {listed}"


_TEXT = "a text file, not an event file"


def _what_else(head: bytes) -> str:
    """What a file is that does not begin with a record; empty if that cannot be told."""
    start = head[:512].lstrip().lower()
    if not head:
        return "an empty file (0 bytes): the run ended before it logged anything"
    if start.startswith(b"version https://git-lfs.github.com/spec/"):
        return "a Git LFS pointer, not the event file itself; run `git lfs pull`"
    if start.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "a web page, not an event file: the download brought an error page"
    if head.startswith(b"\x1f\x8b"):
        return "a gzip archive, not an event file; unpack it, or let its name end in .gz"
    if not head.strip(b"\0"):
        return "only zero bytes, no record"
    return _TEXT if _is_text(head) else ""


def _is_text(head: bytes) -> bool:
    try:
        text = head[:4096].decode()
    except UnicodeDecodeError as error:
        if error.start < len(head[:4096]) - 3:
            return False
        text = head[: error.start].decode()
    return all(character.isprintable() or character in "\r\n\t\x1b" for character in text)


def _begins_with_event(head: bytes) -> bool:
    """Whether the first record's header holds and an event is in it, as far as `head` goes."""
    length = payload_length(head[:HEADER_BYTES])
    if length is None or length >= min(LARGE, len(head)):
        return length is not None
    try:
        event = parse_event(head[HEADER_BYTES : HEADER_BYTES + length])
    except MalformedError:
        return False
    return event.wall_time_start is not None or bool(event.file_version)
