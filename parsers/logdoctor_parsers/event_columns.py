"""Rows of bytes, one a record, read column by column: numbers at one place in all rows, and the CRC of each row.

A CRC is that of the bytes all rows share, XOR what each of the others contributes. Where there are many rows, bits are
looked up twelve at a time: such a table stays in the nearest cache, one for two bytes does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from logdoctor_parsers import crc32c

Bytes = npt.NDArray[np.uint8]
States = npt.NDArray[np.uint32]
Numbers = npt.NDArray[Any]

_MANY_ROWS = 4096  # from here on it pays to make a table for more bits than a byte has
_WORD = 8  # bytes


def column(rows: Bytes, start: int, form: str) -> Numbers:
    """The numbers at byte `start` of each row, whatever their alignment: shape (n,), a view."""
    return rows[:, start : start + np.dtype(form).itemsize].view(form)[:, 0]


def word_at(rows: Bytes, at: int) -> tuple[int, Numbers]:
    """The eight bytes of each row from `at` on, or the last eight: where they begin; numbers (n,), a copy."""
    start = min(at, rows.shape[1] - _WORD)
    return start, np.ascontiguousarray(column(rows, start, "<i8"))


def crc_of_rows(rows: Bytes, length: int, changing: Bytes) -> States:
    """The CRC of the first `length` bytes of each row: shape (n,). Bits not in `changing` are equal in all."""
    shared = bytearray(rows[0, :length])
    columns = np.flatnonzero(changing[:length]).tolist()
    parts = _by_bits(rows, shared, columns, changing) if len(rows) >= _MANY_ROWS else _by_bytes(rows, shared, columns)
    crc = np.zeros(len(rows), np.uint32)
    for part in parts:
        crc ^= part
    return crc ^ np.uint32(crc32c.crc32c(bytes(shared)))


def _by_bytes(rows: Bytes, shared: bytearray, columns: list[int]) -> Iterator[States]:
    """What each of the columns contributes to the CRC of each row, taken out of `shared`."""
    for at in columns:
        shared[at] = 0
        yield crc32c.contribution(len(shared) - 1 - at).take(rows[:, at])


def _by_bits(rows: Bytes, shared: bytearray, columns: list[int], changing: Bytes) -> Iterator[States]:
    """The same, twelve bits at a time."""
    length, end = len(shared), 0
    for at in columns:
        if at < end:
            continue
        start, octets = word_at(rows, at)
        end = start + _WORD
        left = int.from_bytes(changing[at : min(end, length)].tobytes(), "little") << 8 * (at - start)
        constant = int.from_bytes(shared[start:end], "little")
        while left:
            shift = (left & -left).bit_length() - 1
            beside = ~(crc32c.PIECE_MASK << shift)
            left, constant = left & beside, constant & beside
            piece = octets.view(np.uint64) >> shift & crc32c.PIECE_MASK
            yield crc32c.piece_contribution(length - 1 - start, shift).take(piece.view(np.int64))
        shared[start:end] = constant.to_bytes(_WORD, "little")[: length - start]
