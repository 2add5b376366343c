"""A file's bytes within limits: only regular files are opened, and a small .gz or .zst does not fill the memory.

A packed stream that is cut off gives what stands before the cut. One that is damaged inside is refused: behind the
first wrong bit any number may be another one, and nothing tells where that bit is.

Source: RFC 1952 (gzip), RFC 8878 (Zstandard).
"""

from __future__ import annotations

import io
import os
import stat
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_GZIP = 31  # zlib's name for: a gzip header and its checksum
_ZSTD_WINDOW = 1 << 27  # 128 MiB, what the zstd command takes without being asked


class Unpacker(Protocol):
    """Unpacks one member of a packed stream, piece by piece."""

    @property
    def eof(self) -> bool:
        """Whether the member's end was reached."""

    @property
    def unused_data(self) -> bytes:
        """What was given beyond that end."""

    def decompress(self, data: bytes, /) -> bytes:
        """What `data` unpacks to. Errors: those of the library, where it is damaged."""


@dataclass(frozen=True)
class Packing:
    """A way files are packed: how its members are unpacked, and how many packed bytes go at a time."""

    name: str
    unpacker: Callable[[], Unpacker]
    chunk: int


def _zstd() -> Unpacker:
    try:
        import zstandard
    except ImportError:
        raise OSError("a .zst file needs zstandard: pip install 'logdoctor[zstd]', or unpack it") from None
    return zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()


_PACKINGS = {
    ".gz": Packing("gzip", lambda: zlib.decompressobj(_GZIP), 1 << 16),  # grows at most about 1,030 times: 64 MiB
    ".zst": Packing("zstd", _zstd, 1 << 11),  # four bytes can stand for 128 KiB: 64 MiB
}


@dataclass(frozen=True)
class ReadLimits:
    """What is read of a file: `max_bytes`; of content past `free_bytes`, `max_ratio` times its packed size."""

    max_bytes: int = 2 << 30
    max_ratio: float = 200.0
    free_bytes: int = 64 << 20


DEFAULT_LIMITS = ReadLimits()


class TooLargeError(OSError):
    """A file beyond the limits; the message names the setting to raise."""


def open_regular(path: Path) -> io.FileIO:
    """Open a file for reading, unless a pipe or a device stands there by now. Errors: OSError."""
    stream = io.FileIO(path, opener=_without_waiting)
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return stream
    stream.close()
    raise OSError("no longer a regular file")


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_path(path: Path, size: int, limits: ReadLimits) -> tuple[bytes, str]:
    """The first `size` bytes (all: -1) of a file, unpacked if its name says so, and what it lacks (empty: nothing).

    Errors: OSError; TooLargeError where all of it was wanted and is too much.
    """
    with io.BufferedReader(open_regular(path)) as stream:
        if is_packed(path):
            return unpack(stream, size, limits, _PACKINGS[path.suffix.lower()])
        there = os.fstat(stream.fileno()).st_size  # what is appended from now on is for the next reading
        if size < 0 and there > limits.max_bytes:
            raise TooLargeError(f"{_amount(there)}, more than the {_amount(limits.max_bytes)} that are read: "
                                "raise max_gigabytes in logdoctor.toml")  # fmt: skip
        return stream.read(there if size < 0 else size), ""


def is_packed(path: Path) -> bool:
    """Whether the name's ending says that the file is packed (.gz, .zst)."""
    return path.suffix.lower() in _PACKINGS


def unpack(stream: io.BufferedIOBase, size: int, limits: ReadLimits, packing: Packing) -> tuple[bytes, str]:
    """The first `size` bytes (all: -1) of a packed stream of one or more members, and what is damaged.

    Errors: OSError where it is not packed that way or does not hold; TooLargeError.
    """
    parts: list[bytes] = []
    made = taken = 0
    member = packing.unpacker()
    packed = stream.read(packing.chunk)
    while packed and (size < 0 or made < size):
        taken += len(packed)
        parts.append(_unpacked(member, packed, packing))
        made += len(parts[-1])
        if size < 0:
            _assert_within(made, taken, limits)
        packed = member.unused_data
        if member.eof:
            packed = packed.lstrip(b"\0") or stream.read(packing.chunk).lstrip(
                b"\0"
            )  # padding between and behind members
            member = packing.unpacker() if packed else member
        else:
            packed = stream.read(packing.chunk)
    content = b"".join(parts)
    if size >= 0:
        return content[:size], ""
    cut = f"the {packing.name} stream is cut off after {_amount(taken)}; what is left of it was read"
    return content, "" if member.eof else cut


def _unpacked(member: Unpacker, packed: bytes, packing: Packing) -> bytes:
    """Errors: OSError where it is damaged."""
    try:
        return member.decompress(packed)
    except Exception as error:  # each library has its own
        raise OSError(f"the {packing.name} stream is damaged ({error}): no number in it can be trusted") from None


def _assert_within(made: int, taken: int, limits: ReadLimits) -> None:
    """Errors: TooLargeError says which limit."""
    if made > limits.max_bytes:
        raise TooLargeError(f"it unpacks to more than the {_amount(limits.max_bytes)} that are read: "
                            "raise max_gigabytes in logdoctor.toml")  # fmt: skip
    if made > limits.free_bytes and made > limits.max_ratio * taken:
        raise TooLargeError(f"its first {_amount(taken)} unpack to {_amount(made)}, over {limits.max_ratio:g} times "
                            "as much: raise max_unpacking_ratio in logdoctor.toml if that is meant")  # fmt: skip


def _amount(size: int) -> str:
    value, unit = float(size), "bytes"
    for larger in ("KiB", "MiB", "GiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.4g} {unit}"
