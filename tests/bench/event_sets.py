"""Event files for the benchmarks, format-correct byte by byte: the sets a to e.

a: one file, 1,000,000 TF1 scalars under 5 tags. b: 300 runs of 4 tags × 2,000. c: 100,000 scalars among 500 MB of
histograms and images. d: 500,000 TF2 scalars (tensors). e: 200,000 scalars, 20 an event.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from logdoctor_parsers import crc32c

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

BEGAN = 1.7e9
SECONDS = 0.05  # between two steps
NAME = "events.out.tfevents.1700000000.bench.1.0"
TRAINING = ("train/loss", "train/accuracy", "train/learning_rate", "train/grad_norm", "train/epoch")
KERAS = ("epoch_loss", "epoch_accuracy", "batch_loss", "epoch_learning_rate", "evaluation_loss_vs_iterations")


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field of a message."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*octets, value])


def simple(tag: str) -> bytes:
    """A TF1 value that holds 0."""
    return field(1, field(1, tag.encode()) + b"\x15" + bytes(4))


def tensor(tag: str) -> bytes:
    """A TF2 value that holds 0, in tensor_content."""
    proto = b"\x08\x01" + field(2, b"") + field(4, bytes(4))
    return field(1, field(1, tag.encode()) + field(8, proto) + field(9, field(1, field(1, b"scalars"))))


def record(payload: bytes) -> bytes:
    head = struct.pack("<Q", len(payload))
    return head + _masked(head) + payload + _masked(payload)


def _masked(content: bytes) -> bytes:
    return struct.pack("<I", crc32c.mask(crc32c.crc32c(content)))


def version() -> bytes:
    return record(b"\x09" + struct.pack("<d", BEGAN) + field(3, b"brain.Event:2"))


def scalar_records(values: Sequence[bytes], steps: npt.NDArray[np.int64], numbers: Floats, time: Floats) -> Bytes:
    """One event a step that holds all `values` (messages that hold 0), as rows: shape (n, bytes of a record).

    `steps` are encoded in equally many bytes, `numbers` (n, number of values).
    """
    width = len(varint(int(steps[0])))
    head = b"\x09" + bytes(8) + (b"\x10" + bytes(width) if steps[0] else b"")
    payload = head + field(5, b"".join(values))
    rows = np.tile(
        np.frombuffer(struct.pack("<Q", len(payload)) + bytes(4) + payload + bytes(4), np.uint8), (len(steps), 1)
    )
    rows[:, 8:12] = np.frombuffer(_masked(struct.pack("<Q", len(payload))), np.uint8)
    rows[:, 13:21] = np.ascontiguousarray(time, "<f8").view(np.uint8).reshape(-1, 8)
    if steps[0]:
        for place in range(width):
            rows[:, 22 + place] = (steps >> 7 * place & 0x7F) | (0x80 if place < width - 1 else 0)
    end = 12 + len(payload)
    for number, value in zip(numbers.T, values, strict=True):
        at = 12 + payload.index(value) + value.index(_zero_of(value)) + len(_zero_of(value)) - 4
        rows[:, at : at + 4] = np.ascontiguousarray(number, "<f4").view(np.uint8).reshape(-1, 4)
    crc = crc32c.mask_array(crc32c.crc_rows(rows[:, 12:end]))
    rows[:, end:] = np.ascontiguousarray(crc, "<u4").view(np.uint8).reshape(-1, 4)
    return rows


def _zero_of(value: bytes) -> bytes:
    return b"\x15" + bytes(4) if b"\x15" + bytes(4) in value else b"\x22\x04" + bytes(4)


def write_scalars(
    path: Path,
    tags: Sequence[str],
    steps: int,
    *,
    make: Callable[[str], bytes] = simple,
    together: bool = False,
    seed: int = 0,
) -> None:
    """A file of falling, noisy series: a record a number, or (`together`) one a step."""
    rng = np.random.default_rng(seed)
    falling = 2 * np.exp(-np.arange(steps) / (steps / 4))
    numbers = falling[:, None] + 0.1 * rng.normal(size=(steps, len(tags)))
    time = BEGAN + np.cumsum(rng.exponential(SECONDS, steps))
    values = [make(tag) for tag in tags]
    groups = [values] if together else [[value] for value in values]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.write(version())
        for low, high in _equal_widths(steps):
            part = np.arange(low, high)
            columns = [numbers[low:high]] if together else [numbers[low:high, i : i + 1] for i in range(len(tags))]
            rows = [scalar_records(g, part, c, time[low:high]) for g, c in zip(groups, columns, strict=True)]
            stream.write(np.hstack(rows).tobytes())


def _equal_widths(steps: int) -> list[tuple[int, int]]:
    """Ranges of steps whose varints are equally long; 0 alone, as it is left out."""
    borders = [0, 1, *(1 << 7 * k for k in range(1, 5)), steps]
    inside = sorted({min(border, steps) for border in borders})
    return list(pairwise(inside))


def write_bulk(path: Path, steps: int) -> None:
    """Scalars with 12 histograms of 11 kB each 40 steps and 3 images of 0.7 to 2.3 MB each 200 steps."""
    rng = np.random.default_rng(5)
    values = [simple(tag) for tag in TRAINING]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.write(version())
        for step in range(steps):
            head = b"\x09" + struct.pack("<d", BEGAN + SECONDS * step) + (b"\x10" + varint(step) if step else b"")
            now = np.array([step]), np.array([BEGAN + SECONDS * step])
            rows = [scalar_records([value], now[0], rng.normal(size=(1, 1)), now[1]) for value in values]
            stream.write(np.hstack(rows).tobytes())
            if step % 40 == 0:
                stream.write(b"".join(record(head + field(5, _histogram(f"layer{k}/weight", rng))) for k in range(12)))
            if step % 200 == 0:
                sizes = rng.integers(700, 2300, 3)
                stream.write(
                    b"".join(record(head + field(5, _image(f"samples/{k}", rng, s))) for k, s in enumerate(sizes))
                )


def _histogram(tag: str, rng: np.random.Generator, bins: int = 700) -> bytes:
    limits, counts = np.sort(rng.normal(size=bins)), rng.integers(0, 50, bins).astype(float)
    numbers = b"".join(
        bytes([number << 3 | 1]) + struct.pack("<d", value)
        for number, value in ((1, limits[0]), (2, limits[-1]), (3, counts.sum()), (4, 1.0), (5, 2.0))
    )
    return field(
        1, field(1, tag.encode()) + field(5, numbers + field(6, limits.tobytes()) + field(7, counts.tobytes()))
    )


def _image(tag: str, rng: np.random.Generator, kilobytes: int) -> bytes:
    pixels = b"\x08\x80\x02\x10\x80\x02\x18\x03" + field(4, rng.bytes(int(kilobytes) * 1024))
    return field(1, field(1, tag.encode()) + field(4, pixels))


def write_set(name: str, folder: Path, share: float) -> None:
    """Write the set `name` into `folder`; `share` of its usual size."""
    match name:
        case "a":
            write_scalars(folder / NAME, TRAINING, int(200_000 * share))
        case "b":
            write_runs(folder, max(1, int(300 * share)))
        case "c":
            write_bulk(folder / NAME, int(20_000 * share))
        case "d":
            write_scalars(folder / "train" / f"{NAME}.v2", KERAS, int(100_000 * share), make=tensor)
        case "e":
            tags = [f"scope/metric_{k:02d}_1" for k in range(20)]
            write_scalars(folder / NAME, tags, int(10_000 * share), together=True)


def write_runs(folder: Path, count: int, steps: int = 2000) -> None:
    """A directory of runs with a file each."""
    for run in range(count):
        write_scalars(folder / f"run_{run:04d}" / NAME, ("loss/train", "loss/val", "acc/val", "lr"), steps, seed=run)
