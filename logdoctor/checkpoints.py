"""Where on the run's axis each checkpoint was saved, the last one, and the one nearest a place."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from logdoctor.axis import Placed
from logdoctor.finding import Evidence
from logdoctor.masking import masked
from logdoctor.reading import Read
from logdoctor.rows import Floats, Ints, Rows
from logdoctor.run import Checkpoint, Run
from logdoctor.stitching import Experiment
from logdoctor_parsers import Checkpoint as Saved

_IN_NAME = re.compile(r"(?<![\d.])\d{1,12}(?![\d.]*\d)")
_IN_TEXT = re.compile(r"(?:epochs?|steps?|iter\w*|updates?)[ _=:#]*(\d{1,12})(?!\d)", re.IGNORECASE)


def checkpoints_of(
    reads: Sequence[Read], experiments: Sequence[Experiment], rows: Rows, placed: Placed
) -> tuple[Checkpoint, ...]:
    """The checkpoints of the experiment with these `rows`: said after its first number and before the next one's."""
    found: list[Checkpoint] = []
    for index, read in enumerate(reads):
        mine = np.flatnonzero(rows.source == index)
        if not read.log.checkpoints or not len(mine):
            continue
        order = mine[np.lexsort((placed.x[mine], rows.line[mine]))]
        first, until = _lines(experiments, index, int(rows.line[order[0]]))
        for said in read.log.checkpoints:
            if first <= said.line < until or math.isfinite(said.step):
                x = _x(said, rows.line[order], placed.step[order], placed.x[order])
                evidence = Evidence(read.file.name, said.line)
                found.append(Checkpoint(masked(said.path), masked(said.text), evidence, x))
    return tuple(found)


def _lines(experiments: Sequence[Experiment], source: int, first: int) -> tuple[int, float]:
    """From the experiment's first line in a file to the first of the next one there."""
    lines = (e.rows.line[e.rows.source == source] for e in experiments)
    starts = (int(line.min()) for line in lines if len(line))
    return first, min((start for start in starts if start > first), default=math.inf)


def _x(said: Saved, lines: Ints, steps: Floats, x: Floats) -> float:
    """Where the number logged before the line stands; nearer to the next one where the name or the text tells so."""
    if math.isfinite(said.step) and np.isfinite(steps).any():
        return float(x[int(np.nanargmin(np.abs(steps - said.step)))])
    before = max(0, int(np.searchsorted(lines, said.line, side="right")) - 1)
    after = min(before + 1, len(lines) - 1)
    told = {float(number) for number in (*_IN_NAME.findall(_file_name(said.path)), *_IN_TEXT.findall(said.text))}
    for scale in (steps, x):
        low, high = float(scale[before]), float(scale[after])
        between = [number for number in told if low < number <= high]
        if between:
            return float(np.interp(max(between), (low, high), (x[before], x[after])))
    return float(x[before])


def _file_name(path: str) -> str:
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]


def last_checkpoint(run: Run) -> Checkpoint | None:
    """The one saved last; one whose path is known before one that is not."""
    return max(run.checkpoints, key=lambda c: (bool(c.path), c.x, c.evidence.line), default=None)


def nearest_checkpoint(run: Run, x: float) -> Checkpoint | None:
    """The one saved nearest to a place on the axis, if its path is known; of those saved together the first."""
    named = [checkpoint for checkpoint in run.checkpoints if checkpoint.path]
    return min(named, key=lambda c: (abs(c.x - x), c.evidence.line), default=None)
