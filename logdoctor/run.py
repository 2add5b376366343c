"""One training run on one axis, whatever files it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from logdoctor.finding import Evidence
from logdoctor.rows import Rows

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Axis:
    """What x means: `unit` is `epoch` (epochs completed), `step` (optimizer updates) or `index` (row number).

    `steps_per_epoch` is None where unknown; `origin` says whence it came: `given`, `logged` or `derived`.
    """

    unit: str
    steps_per_epoch: float | None = None
    origin: str | None = None

    @property
    def words(self) -> str:
        return {"epoch": "epochs", "step": "steps", "index": "rows"}[self.unit]


@dataclass(frozen=True)
class Whole:
    """What is to be known of all values of a curve of which only some are kept.

    `points`: how many there are; `non_finite`: how many of them are NaN or infinite; `smooth`: the smooth curve at the
    values kept, shape (n,).
    """

    points: int
    non_finite: int
    smooth: Floats | None = None


@dataclass(frozen=True)
class Curve:
    """One series on the run's axis, shape (n,) each, ordered by x; NaN and ±inf in `value` are kept.

    `step` is NaN where unknown, `wall_time` too. `source` indexes `sources`; `line` is the line each value stands at.
    `thinned`: set where these are not all values.
    """

    tag: str
    metric: str
    split: str
    x: Floats
    value: Floats
    step: Floats
    wall_time: Floats
    source: Ints
    line: Ints
    sources: tuple[str, ...]
    overlapping: int = 0
    thinned: Whole | None = None

    def __len__(self) -> int:
        return len(self.value)

    @property
    def points(self) -> int:
        """How many values were logged, also where only some are kept."""
        return self.thinned.points if self.thinned else len(self.value)

    @property
    def non_finite(self) -> int:
        """How many of the values logged are NaN or infinite."""
        return self.thinned.non_finite if self.thinned else int(np.count_nonzero(~self.finite))

    def evidence(self, index: int, text: str = "") -> Evidence:
        """Where the value at `index` stands."""
        return Evidence(self.sources[int(self.source[index])], int(self.line[index]), text)

    def at(self, x: float) -> Evidence:
        """Where the value nearest to `x` stands."""
        return self.evidence(int(np.argmin(np.abs(self.x - x))))

    @property
    def finite(self) -> npt.NDArray[np.bool_]:
        return np.isfinite(self.value)

    def best(self, higher_is_better: bool) -> int:
        """Where the best finite value stands; the curve must have one."""
        values = np.where(self.finite, self.value, -np.inf if higher_is_better else np.inf)
        return int(np.argmax(values) if higher_is_better else np.argmin(values))


@dataclass(frozen=True)
class Source:
    """A file a run came from: lines seen, lines that gave numbers, lines that look like data and could not be read."""

    path: str
    format: str
    lines: int
    data: int
    unreadable: int
    dialect: str = ""


@dataclass(frozen=True)
class RunFact:
    """A fact stated by a log (or given by the user: then `source` is the option's name and `line` is 0)."""

    value: Any
    source: str
    line: int


@dataclass(frozen=True)
class RunProblem:
    """Something a report must mention about reading or joining: file, line (0: the whole file), sentence."""

    source: str
    line: int
    message: str


@dataclass(frozen=True)
class Closing:
    """How the run's last file ends: a kind of `logdoctor_parsers.Ending`, where, and the last lines of the log.

    `followed`: another run follows in the same file.
    """

    kind: str
    evidence: Evidence
    message: str = ""
    tail: tuple[str, ...] = ()
    modified: float = float("nan")
    followed: bool = False


@dataclass(frozen=True)
class Checkpoint:
    """What the log says was saved: a file or folder, or (`path` empty) its own words; `x`: where on the run's axis."""

    path: str
    text: str
    evidence: Evidence
    x: float


@dataclass(frozen=True)
class Run:
    """All that is known of one run. `rows` are its numbers as logged, stitched; `curves` the same numbers on the axis.

    `train`, `val` and `lr` are the main curves, `val_metric` is the main validation metric beside the loss (accuracy,
    mAP).
    `attempts` counts starts; `receipts` say in words what stitching kept and dropped. `restarts`: where on the axis the
    attempts after the first begin; None: `rows` tell.
    """

    name: str
    sources: tuple[Source, ...]
    axis: Axis
    curves: tuple[Curve, ...]
    train: Curve | None
    val: Curve | None
    lr: Curve | None
    val_metric: Curve | None
    facts: Mapping[str, RunFact]
    problems: tuple[RunProblem, ...]
    closing: Closing
    attempts: int = 1
    receipts: tuple[str, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    rows: Rows | None = field(default=None, repr=False, compare=False)
    restarts: tuple[float, ...] | None = None

    @property
    def formats(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(source.format for source in self.sources))

    @property
    def end(self) -> float:
        """The last x of the run (NaN without any curve)."""
        return max((float(curve.x[-1]) for curve in self.curves if len(curve)), default=float("nan"))

    def fact(self, name: str, default: Any = None) -> Any:
        found = self.facts.get(name)
        return default if found is None else found.value
