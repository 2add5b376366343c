"""The sample logs with what stands in them, and the damages done to each family."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from logdoctor.reading import Read, read_file
from logdoctor_parsers import PARSERS, LogFile
from tests.damage.accounting import Point, points
from tests.damage.damages import Damage, random_damage

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_logs"
NO_LOGS = ("SOURCES.md", "logdoctor.toml")


@dataclass(frozen=True)
class Sample:
    """An undamaged log and its points."""

    path: Path
    content: bytes
    points: Sequence[Point]


def families() -> dict[str, list[Sample]]:
    """The sample logs by the parser that reads them."""
    found: dict[str, list[Sample]] = {}
    for path in sorted(path for path in SAMPLES.rglob("*") if path.is_file() and path.name not in NO_LOGS):
        content = path.read_bytes()
        read = read_file(LogFile(path, path.name, content), PARSERS)
        assert isinstance(read, Read), path
        found.setdefault(read.log.format, []).append(Sample(path, content, points(read.log)))
    return found


def damages(family: str, samples: Sequence[Sample], count: int, seed: str = "") -> Iterator[tuple[Sample, Damage]]:
    """So many damages of a family's logs in turn; of one seed the first are the same whatever the count."""
    for number in range(count):
        sample = samples[number % len(samples)]
        yield sample, random_damage(sample.content, random.Random(f"{seed}{family} {number}"))


def every_cut(samples: Sequence[Sample], largest: int) -> Iterator[tuple[Sample, Damage]]:
    """The logs of up to `largest` bytes, cut off at every byte."""
    for sample in samples:
        size = len(sample.content)
        for end in range(1, size) if size <= largest else ():
            yield sample, Damage("the end cut off", end, size, b"")
