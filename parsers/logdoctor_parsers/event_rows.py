"""Event records of one length, decoded as a matrix: one row a record, one parse for all rows of the same layout.

Most records of an event file differ in wall time, step and value alone. The first row of a group is parsed in full;
what is constant in it is compared with the others, and rows that agree have their numbers where the first has them.
Rows that do not agree are left to the next template. The CRC of a row is that of the bytes all rows share, XOR what
each of the others contributes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from logdoctor_parsers import crc32c
from logdoctor_parsers.event_columns import Numbers, column, crc_of_rows
from logdoctor_parsers.event_message import Scalar
from logdoctor_parsers.event_template import Tag, Template, Templates, template_of
from logdoctor_parsers.tfrecord_chain import changing_bits

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]

MIN_ROWS = 8  # fewer rows are parsed faster one by one
_EXACT_TEMPLATES = 4  # after so many, the next ones match rows of any tag
_MAX_TEMPLATES = 12
_MOST_WITHOUT = 3  # if the first records hold no number, none of them may


@dataclass(frozen=True)
class Decoded:
    """The numbers of rows of one layout.

    `rows`, `step` and `wall_time` (n,); one of `values` (n,) and one of `tags` for each scalar. With `tag_of` (n,)
    there is one array of values, and row i has the tag `tags[tag_of[i]]`.
    """

    rows: Ints
    step: Numbers
    wall_time: Numbers
    values: tuple[Numbers, ...]
    tags: tuple[Tag, ...]
    tag_of: Ints | None


def row_width(length: int) -> int:
    """Bytes of a row that holds a payload and its CRC, padded to whole words."""
    return -(-(length + 4) // 8) * 8


def decode_rows(rows: Words, length: int, templates: Templates) -> tuple[list[Decoded], Ints]:
    """The numbers in records of one length, shape (n, words), and which rows are left to be read one by one.

    Every number returned stands in a row whose CRC holds.
    """
    changing, octets = changing_bits(rows), rows.view(np.uint8)
    found: list[Decoded] = []
    left, odd = np.arange(len(rows)), []
    checked = False
    for attempt in range(_MAX_TEMPLATES):
        if len(left) < MIN_ROWS:
            break
        payload = octets[left[0], :length].tobytes()
        template = templates.of(payload) if attempt < _EXACT_TEMPLATES else template_of(payload, any_tag=True)
        if template is None:
            odd.append(left[:1])
            left = left[1:]
            if len(odd) == _MOST_WITHOUT and not checked:
                break
            continue
        if not checked:  # not before: a group without numbers needs no check here
            left, damaged = _split(left, _intact(_take(rows, left), length, changing))
            odd.append(damaged)
            checked = True
        matching, left = _split(left, template.matches(_take(rows, left), changing))
        if len(matching):
            found.append(_decoded(template, _take(rows, matching), matching, changing))
    return found, np.concatenate([*odd, left])


def _decoded(template: Template, rows: Words, places: Ints, changing: Words) -> Decoded:
    """The numbers in matching rows; `places` (n,) is what the rows are known by."""
    octets = rows.view(np.uint8)
    tags, tag_of = template.tags, None
    if template.any_tag:
        tags, tag_of = _tags(template.scalars[0], octets)
    return Decoded(places, *template.numbers(octets, changing.view(np.uint8)), tags, tag_of)


def _tags(scalar: Scalar, octets: Bytes) -> tuple[tuple[Tag, ...], Ints]:
    """The different tags and which one each row has."""
    start, end = scalar.tag_span
    names = np.ascontiguousarray(octets[:, start:end]).view(f"V{end - start}").reshape(-1)
    different, tag_of = np.unique(names, return_inverse=True)
    return tuple((name.tobytes(), scalar.is_tensor) for name in different), tag_of.reshape(-1)


def _intact(rows: Words, length: int, changing: Words) -> Flags:
    """Which rows have the CRC that is stored behind their payload: shape (n,)."""
    octets = rows.view(np.uint8)
    crc = crc_of_rows(octets, length, changing.view(np.uint8))
    return np.asarray(crc32c.mask_array(crc) == column(octets, length, "<u4"))


def _split(places: Ints, flags: Flags) -> tuple[Ints, Ints]:
    """The places with the flag and those without."""
    return (places, places[:0]) if flags.all() else (places[flags], places[~flags])


def _take(rows: Words, places: Ints) -> Words:
    """The rows at ascending places, without a copy where these are all of them."""
    return rows if len(places) == len(rows) else rows.take(places, axis=0)
