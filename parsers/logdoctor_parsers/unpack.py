"""A file's bytes within limits: only regular files are opened, and a small .gz does not fill the memory.

A gzip stream that is cut off gives what stands before the cut. One that is damaged inside is refused: behind the first
wrong bit any number may be another one, and nothing tells where that bit is.
"""

from __future__ import annotations

import io
import os
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1 << 16  # compressed bytes at a time; a deflate stream grows at most about 1,030 times
_GZIP = 31  # zlib's name for: a gzip header and its checksum


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
    """The first `size` bytes (all: -1) of a file, unpacked if it ends in .gz, and what it lacks (empty: nothing).

    Errors: OSError; TooLargeError where all of it was wanted and is too much.
    """
    with io.BufferedReader(open_regular(path)) as stream:
        if path.suffix.lower() == ".gz":
            return unpack(stream, size, limits)
        there = os.fstat(stream.fileno()).st_size  # what is appended from now on is for the next reading
        if size < 0 and there > limits.max_bytes:
            raise TooLargeError(f"{_amount(there)}, more than the {_amount(limits.max_bytes)} that are read: "
                                "raise max_gigabytes in logdoctor.toml")  # fmt: skip
        return stream.read(there if size < 0 else size), ""


def unpack(stream: io.BufferedIOBase, size: int, limits: ReadLimits) -> tuple[bytes, str]:
    """The first `size` bytes (all: -1) of a gzip stream of one or more members, and what is damaged.

    Errors: OSError where it is no gzip or does not hold; TooLargeError.
    """
    parts: list[bytes] = []
    made = taken = 0
    inflate = zlib.decompressobj(_GZIP)
    packed = stream.read(_CHUNK)
    while packed and (size < 0 or made < size):
        taken += len(packed)
        try:
            parts.append(inflate.decompress(packed))
        except zlib.error as error:
            raise OSError(f"the gzip stream is damaged ({error}): no number in it can be trusted") from None
        made += len(parts[-1])
        if size < 0:
            _assert_within(made, taken, limits)
        packed = inflate.unused_data
        if inflate.eof:
            packed = packed.lstrip(b"\0") or stream.read(_CHUNK).lstrip(b"\0")  # padding between and behind members
            inflate = zlib.decompressobj(_GZIP) if packed else inflate
        else:
            packed = stream.read(_CHUNK)
    content = b"".join(parts)
    if size >= 0:
        return content[:size], ""
    lacking = "" if inflate.eof else f"the .gz file is cut off after {_amount(taken)}; what is left of it was read"
    return content, lacking


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
