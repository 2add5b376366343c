"""Records that repeat over and over, decoded where they lie: a period is a row of the window, a number a column of it.

That the bytes beside the numbers do not change is known from comparing each period with the next one, so a template of
the first period holds for all. The CRC of each record is worked out from the bytes that change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from logdoctor_parsers import crc32c
from logdoctor_parsers.event_columns import Numbers, column, crc_of_rows
from logdoctor_parsers.event_template import Template, Templates
from logdoctor_parsers.tfrecord import Records
from logdoctor_parsers.tfrecord_chain import HEADER_BYTES, Repeat

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Column:
    """The records at one place of the period (`number`, counted from 0) and their numbers, shape (periods,) each.

    They may be views of the window.
    """

    number: int
    template: Template
    step: Numbers
    wall_time: Numbers
    values: tuple[Numbers, ...]


@dataclass(frozen=True)
class Columns:
    """The records of a repetition. `intact` (periods,): the CRCs of all records of the period hold."""

    columns: tuple[Column, ...]
    intact: Flags


def decode_repeat(records: Records, repeat: Repeat, templates: Templates) -> Columns | None:
    """The numbers of a repetition; None where its records do not agree in all but their numbers."""
    head = int(records.starts[repeat.first]) - HEADER_BYTES
    width = len(repeat.changing)
    periods = records.window[head : head + width * repeat.times].reshape(repeat.times, width)
    places = [
        (int(records.starts[index]) - head, int(records.lengths[index]))
        for index in range(repeat.first, repeat.first + repeat.period)
    ]
    found = [templates.of(periods[0, start : start + length].tobytes()) for start, length in places]
    columns: list[Column] = []
    intact = np.ones(repeat.times, np.bool_)
    for number, (template, (start, length)) in enumerate(zip(found, places, strict=True)):
        changing = repeat.changing[start : start + length]
        if template is None or not template.covers(changing):
            return None
        rows = periods[:, start : start + length + 4]
        columns.append(Column(number, template, *template.numbers(rows, changing)))
        intact &= crc32c.mask_array(crc_of_rows(rows, length, changing)) == column(rows, length, "<u4")
    return Columns(tuple(columns), intact)
