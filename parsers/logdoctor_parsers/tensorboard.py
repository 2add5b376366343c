"""TensorBoard event files: the scalars of TF1 (`simple_value`) and TF2 (tensors), all of them, each CRC checked.

TensorBoard's own reader samples, and stops without a word at the first damaged byte; this one leaves out only what is
damaged and says what and where. Lines are records here, counted from 1.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.contract import Ending, Fact, LogFile, Match, ParsedLog, Problem, Series, Table, first_problems
from logdoctor_parsers.event_collector import EventCollector, Notes
from logdoctor_parsers.event_message import parse_event
from logdoctor_parsers.event_pack import WINDOW, FileContents, Packs, packs
from logdoctor_parsers.event_wire import MalformedError
from logdoctor_parsers.names import canonical
from logdoctor_parsers.tfrecord import (
    Damage,
    LargeRecord,
    Records,
    Source,
    Stream,
    Torn,
    new_window,
    walk,
)
from logdoctor_parsers.tfrecord_chain import HEADER_BYTES, LARGE, payload_length
from logdoctor_parsers.unpack import is_packed, open_regular

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
            return _log(file, _read(Source.of(stream)))

    def parse_many(self, files: Sequence[LogFile]) -> list[ParsedLog]:
        """Each file as `parse` reads it; small ones are decoded together. Errors: OSError."""
        found: dict[int, FileContents] = {}
        window = new_window(WINDOW)
        sizes = [_plain_size(file) for file in files]
        chosen = list(packs(sizes))
        reader = Packs(sum(sizes[number] for pack in chosen for number in pack))
        for pack in chosen:
            mine = [sizes[number] for number in pack]
            for number, size, end in zip(pack, mine, accumulate(mine), strict=True):
                _fill(window[end - size : end], files[number])
            together = reader.read(window, mine)
            found |= {n: each for n, each in zip(pack, together, strict=True) if each and len(each.points.value)}
        return [
            _log(file, _Contents(found[number])) if number in found else self.parse(file)
            for number, file in enumerate(files)
        ]


PARSER = TensorBoardParser()


@dataclass(frozen=True)
class _Contents:
    """A file, read: `gaps` are stretches that are no records, with the number each is counted as."""

    records: FileContents
    gaps: tuple[tuple[int, str], ...] = ()
    ending: Ending = field(default_factory=Ending)

    @property
    def lines(self) -> int:
        return self.records.records + len(self.gaps)

    @property
    def unreadable(self) -> int:
        return len(self.gaps) + len(self.records.notes.damage)


def _log(file: LogFile, contents: _Contents) -> ParsedLog:
    notes, points = contents.records.notes, contents.records.points
    return ParsedLog(
        PARSER.name,
        _table(contents.records),
        facts=_facts(notes),
        problems=_problems(contents, file),
        lines=contents.lines,
        data=points.records,
        unreadable=contents.unreadable,
        starts=tuple(notes.starts),
        ending=contents.ending,
    )


def _plain_size(file: LogFile) -> int:
    """Bytes of an unpacked file on disk; 0 for any other."""
    plain = file.content is None and not is_packed(file.path)
    return file.path.stat().st_size if plain else 0


def _fill(target: npt.NDArray[np.uint8], file: LogFile) -> None:
    """Read a file of the target's size; what it lacks by now is zero."""
    with _open(file) as stream:
        target[Source.of(stream).fill(target, 0) :] = 0


def _open(file: LogFile) -> Stream:
    if file.content is None and not is_packed(file.path):
        return open_regular(file.path)
    return io.BytesIO(file.read())


def _read(source: Source) -> _Contents:
    collector, records = EventCollector(size=source.size), 0
    gaps: list[tuple[int, str]] = []
    ending = Ending()
    for piece in walk(source):
        match piece:
            case Records():
                collector.add_records(piece)
                records += len(piece)
            case LargeRecord():
                collector.add_large(piece)
                records += 1
            case Damage():
                gaps.append((piece.number, _gap(piece)))
                if piece.zeros and piece.offset + piece.size == source.size:
                    ending = Ending("torn", piece.number, f"the file ends in {piece.size} zero bytes")
            case Torn():
                ending = Ending("torn", piece.number, _torn(piece))
    found = FileContents(collector.points(), collector.tags, collector.notes[0], records)
    return _Contents(found, tuple(gaps), ending)


def _gap(damage: Damage) -> str:
    if damage.zeros:
        return f"{damage.size} zero bytes at byte {damage.offset} instead of a record"
    return f"{damage.size} bytes at byte {damage.offset} are damaged: no record can be read there; left out"


def _torn(torn: Torn) -> str:
    whole = f"the {HEADER_BYTES} bytes of its header" if torn.expected is None else f"{torn.expected} bytes"
    return f"the last record is cut off ({torn.present} of {whole})"


def _table(contents: FileContents) -> Table:
    """The numbers as a table; tensors of a tag that another plugin than `scalars` draws are no scalars."""
    tags, plugins = list(contents.tags), contents.notes.plugins
    series: dict[Series, int] = {}
    new_codes = np.full(len(tags), -1, np.int32)
    present = contents.points.codes(len(tags)).tolist()
    for code in present:
        tag, is_tensor = tags[code]
        if not is_tensor or plugins.get(tag, b"scalars") == b"scalars":
            new_codes[code] = series.setdefault(_series(tag), len(series))
    points = contents.points.recoded(new_codes)
    unknown = np.broadcast_to(np.nan, len(points.value))
    return Table(
        tuple(series), points.code, points.step, unknown, unknown, unknown, points.wall_time, points.value, points.line
    )


def _series(tag: bytes) -> Series:
    name = tag.decode("utf-8", "backslashreplace")
    return Series(name, *canonical(name))


def _facts(notes: Notes) -> tuple[Fact, ...]:
    """Hyperparameters of the hparams plugin, under the names the vocabulary has for them."""
    return tuple(Fact(_fact_name(name), value, number) for name, (value, number) in notes.hparams.items())


def _fact_name(name: str) -> str:
    return "base_lr" if canonical(name).metric == _LEARNING_RATE else name


def _problems(contents: _Contents, file: LogFile) -> tuple[Problem, ...]:
    """All that could not be read, in file order; first of all why there is no number, if there is none."""
    notes = contents.records.notes
    no_numbers = [
        (number, f"tag {tag.decode('utf-8', 'backslashreplace')!r} is marked as a scalar but does not hold one number")
        for tag, number in notes.no_number.items()
    ]
    found = first_problems(sorted([*contents.gaps, *notes.damage, *no_numbers]))
    if len(contents.records.points.value):
        return found
    if contents.lines == contents.unreadable:
        return (Problem(0, _what_else(file.head) or "no intact record: not an event file, or damaged throughout"),)
    return (Problem(0, _why_empty(notes.kinds)), *found)


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
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "a zstd archive, not an event file; unpack it, or let its name end in .zst"
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
