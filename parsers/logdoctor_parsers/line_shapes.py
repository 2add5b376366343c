"""What a line shape is: values, a table's header, settings, or the start of a process; and what a table's row says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from logdoctor_parsers.checkpoints import may_tell
from logdoctor_parsers.dialects import PATTERNS
from logdoctor_parsers.keys import Kind, kind_of, name_of, only_role
from logdoctor_parsers.leftover import looks_like_data
from logdoctor_parsers.pairs import message_of, read_shape
from logdoctor_parsers.printed_tables import Cell, Header, Matrix, column_kind, header_of, matrix_of
from logdoctor_parsers.prose import is_prose
from logdoctor_parsers.readings import Field, Reading
from logdoctor_parsers.runs import DIGIT, Blocks, prefixed_format
from logdoctor_parsers.text_facts import facts_in

_RUN_SUMMARY = re.compile(r"\btrain_runtime\b")  # means over the whole run, printed at its end
_SECTION = re.compile(r"\s*[A-Z_.]{2,}:\s*$")  # of a configuration
_BEST = re.compile(r"\bbest\b[^\d]*(?:\bis|:)\s*$", re.IGNORECASE)  # what follows was told before
_FOLD = re.compile(
    r"\W*(?:(?:starting|running|training|processing|cv)\s+)?fold\s*[:#=]?\s*\d+(?:\s*(?:/|of)\s*\d+)?\W*$",
    re.IGNORECASE,
)
_START = re.compile(
    r"\*{3,} Running training|\bNamespace\(|^nohup: ignoring"
    r"|\b[Rr]esum(?:e|ed|ing)\b.*(?:from|training|epoch|checkpoint)"
    r"|=> creating model|\b[Ss]tart(?:ing)? (?:to )?[Tt]rain(?!(?:ing)?:? +(?:for +)?[Ee]poch)|[Tt]raining [Ss]tart"
)

_NOTHING = Reading()


@dataclass
class Shape:
    """What a line shape is: a reading, or a table's header.

    `facts`: it may state settings; `section` of a configuration; `start`: a process (re)starts; `repeats`: what
    follows was told before; `unread`: it looks like data. `seen` counts its lines, `regex` reads them one by one and
    `formats` many at once when they are frequent.
    """

    reading: Reading
    header: Header | Matrix | None = None
    facts: bool = False
    section: bool = False
    start: bool = False
    repeats: bool = False
    unread: bool = False
    seen: int = 0
    regex: re.Pattern[str] | None = None
    formats: dict[str, Blocks | None] = field(default_factory=dict)

    def numbers(self, text: str) -> Sequence[str]:
        """The numbers of a line that `regex` fits."""
        match = self.regex.match(text) if self.regex else None
        return match.groups() if match else ()

    def blocks(self, raw: str, text: str) -> Blocks | None:
        """What reads lines like `raw` at once, made once for each form of its prefix; None where nothing can."""
        prefix = DIGIT.sub("0", raw[: len(raw) - len(text)])
        if prefix not in self.formats:
            form = None if may_tell(raw) else prefixed_format(raw, text)
            self.formats[prefix] = Blocks(form, self.reading) if form else None
        return self.formats[prefix]


def shape_of(parts: list[str], text: str) -> Shape:
    """Work out what a new line shape is."""
    if is_prose(text, parts):
        return Shape(_NOTHING, section=len(parts) == 1 and bool(_SECTION.match(text)))
    texts, example = parts[::2], parts[1::2]
    start = bool(_START.search(text) or _FOLD.match(text))
    if not example:
        header = header_of(text) or matrix_of(text)
        section, repeats = bool(_SECTION.match(text)), bool(_BEST.search(text))
        return Shape(read_shape(texts, example), header, bool(facts_in(text, 0)), section, start, repeats)
    for pattern in PATTERNS:
        if (reading := pattern.reading(text)) is not None:
            return Shape(reading)
    reading = read_shape(texts, example)
    if reading.fields and not _RUN_SUMMARY.search(text):
        return Shape(reading)
    facts = bool(facts_in(text, 0))
    unread = not facts and not _RUN_SUMMARY.search(text) and looks_like_data(text)
    return Shape(replace(reading, fields=(), role=only_role(message_of(text))), facts=facts, start=start, unread=unread)


def matrix_reading(name: str, splits: Sequence[str], cells: Sequence[Cell]) -> tuple[Reading, list[str]]:
    """A row of a table of splits as a reading and its numbers."""
    metric = name_of(name).metric
    fields = tuple(Field(i, name, metric, splits[cell.column]) for i, cell in enumerate(cells))
    if kind_of(name) is not Kind.METRIC:
        fields = ()
    return Reading(fields, known=True), [cell.value for cell in cells]


def row_reading(header: Header, cells: Sequence[Cell]) -> tuple[Reading, list[str]]:
    """A table row as a reading and its numbers."""
    found: list[str] = []
    fields: list[Field] = []
    epoch = epochs = count = -1
    counter = ""
    for cell in cells:
        name, called = header.names[cell.column], header.meaning(cell.column)
        kind = column_kind(called)
        place = len(found)
        found.append(cell.value)
        if kind is Kind.EPOCH and epoch < 0:
            epoch = place
            if cell.total:
                epochs = len(found)
                found.append(cell.total)
        elif kind is Kind.COUNTER and count < 0:
            count, counter = place, name.lower()
        elif kind in (Kind.METRIC, Kind.VALUE):
            said = name_of(called)
            fields.append(Field(place, name, said.metric, said.split or ("val" if header.classes else "")))
    in_epoch = counter.startswith("batch")
    known = any(column_kind(header.meaning(cell.column)) is Kind.METRIC for cell in cells)
    return Reading(tuple(fields), epoch, epochs, count, -1, -1, counter, in_epoch, known=known), found
