"""CRC-32C (Castagnoli), the checksum of TFRecord files, with numpy alone.

A CRC is linear: the checksum of a string is the XOR of what each byte contributes, and a contribution depends only on
the byte and on how many bytes follow it. So a million rows that differ in a dozen bytes need a dozen table look-ups
each, and a long buffer needs no byte-by-byte loop.

Reference: RFC 3720, appendix B.4; the mask is described in tensorflow/core/lib/io/record_writer.h.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
States = npt.NDArray[np.uint32]

PIECE_MASK = 0xFFF

_POLYNOMIAL = 0x82F63B78
_ONES = 0xFFFFFFFF
_MASK_DELTA = 0xA282EAD8
_BLOCK = 64
_CHUNK = 256 * 1024
_LOOP_LIMIT = 1024  # below this many bytes a plain loop beats the set-up of the array path


def _byte_table() -> States:
    table: States = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1).astype(np.uint32)
    return table


_TABLE = _byte_table()
_TABLE_LIST: tuple[int, ...] = tuple(_TABLE.tolist())


def crc32c(data: bytes, crc: int = 0) -> int:
    """The CRC-32C of a buffer of any length; `crc` is that of the bytes before, for a buffer read in parts."""
    if len(data) < _LOOP_LIMIT:
        return _loop(data, crc ^ _ONES) ^ _ONES
    state = np.array([crc ^ _ONES], np.uint32)
    for start in range(0, len(data), _CHUNK):
        chunk = np.frombuffer(data[start : start + _CHUNK], np.uint8)
        state = advance(state, len(chunk)) ^ _remainder(chunk)
    return int(state[0]) ^ _ONES


def mask(crc: int) -> int:
    """The masked form in which TFRecord files store a CRC."""
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & _ONES


def mask_array(crc: States) -> States:
    """`mask` for an array."""
    return np.asarray(((crc >> 15) | (crc << 17)) + np.uint32(_MASK_DELTA))


def crc_rows(rows: Bytes) -> States:
    """The CRC-32C of each row of a matrix, shape (n, width) → (n,); meant for narrow rows."""
    state = np.full(len(rows), _ONES, np.uint32)
    for column in rows.T:
        state = (state >> 8) ^ _TABLE[(state ^ column) & 0xFF]
    return ~state


def contribution(following: int) -> States:
    """What a byte with `following` bytes after it adds (XOR) to the CRC of a row, by value: shape (256,)."""
    return np.asarray(_contributions(following // _BLOCK)[following % _BLOCK])


@lru_cache(maxsize=256)
def piece_contribution(following: int, shift: int) -> States:
    """The same of the bits of PIECE_MASK, `shift` bits up in a little-endian number: shape (4096,).

    `following`: bytes after the number's first one. Bits beyond the row's last byte contribute nothing.
    """
    first = shift // 8
    bits = np.arange(PIECE_MASK + 1) << shift % 8
    octets = [(following - first - place, bits >> 8 * place & 0xFF) for place in range(3)]
    inside = [contribution(after).take(octet) for after, octet in octets if after >= 0]
    return np.asarray(np.bitwise_xor.reduce(inside))


def advance(state: States, count: int) -> States:
    """The CRC register after `count` further zero bytes."""
    for power in range(count.bit_length()):
        if count >> power & 1:
            state = _apply(_zeros_operator(power), state)
    return state


def _loop(data: bytes, state: int) -> int:
    table = _TABLE_LIST
    for byte in data:
        state = table[(state ^ byte) & 0xFF] ^ state >> 8
    return state


def _remainder(chunk: Bytes) -> States:
    """The CRC register after `chunk`, started from zero: blocks at once, then neighbours joined pairwise."""
    blocks = -(-len(chunk) // _BLOCK)
    blocks = 1 << (blocks - 1).bit_length()
    padded = np.zeros(blocks * _BLOCK, np.uint8)  # leading zeros leave a zero register as it is
    padded[len(padded) - len(chunk) :] = chunk
    table = _contributions(0)[::-1]
    column = np.arange(_BLOCK) * 256
    state: States = np.bitwise_xor.reduce(table.reshape(-1).take(padded.reshape(-1, _BLOCK) + column), axis=1)
    width = _BLOCK
    while len(state) > 1:
        state = advance(state[0::2], width) ^ state[1::2]
        width *= 2
    return state


@lru_cache(maxsize=1024)
def _contributions(block: int) -> States:
    """`contribution` for the `_BLOCK` distances from `block * _BLOCK` on, shape (_BLOCK, 256)."""
    tables = np.empty((_BLOCK, 256), np.uint32)
    tables[0] = advance(_TABLE, block * _BLOCK)
    for previous, table in pairwise(tables):
        table[:] = (previous >> 8) ^ _TABLE[previous & 0xFF]
    tables.flags.writeable = False
    return tables


@lru_cache(maxsize=64)
def _zeros_operator(power: int) -> States:
    """The effect of 2**power zero bytes on the register, one table for each of its four bytes: shape (4, 256)."""
    unit = np.arange(256, dtype=np.uint32) << np.array([[0], [8], [16], [24]], np.uint32)
    if power == 0:
        return np.asarray((unit >> 8) ^ _TABLE[unit & 0xFF])
    half = _zeros_operator(power - 1)
    return _apply(half, _apply(half, unit))


def _apply(operator: States, state: States) -> States:
    result: States = operator[0].take(state & 0xFF)
    for byte in (1, 2, 3):
        result ^= operator[byte].take(state >> (8 * byte) & 0xFF)
    return result
