"""Runs side by side: who leads early, who at the end, where one passes the other; on one axis for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from logdoctor.compare_axis import SharedAxis, on_axis, share_axis
from logdoctor.compare_seeds import Seeds, seeds_of, summarise
from logdoctor.compare_words import Verdict, describe, short_names
from logdoctor.curves.crossing import Crossing, meet
from logdoctor.diagnosis import Diagnosis, Report
from logdoctor.errors import LogDoctorError, NothingRecognisedError
from logdoctor.roles import MAIN_METRICS, finest
from logdoctor.run import Axis, Curve, Floats, Run
from logdoctor.tracks import track
from logdoctor_parsers.names import direction

COMPARED = ("loss", *MAIN_METRICS)
MARKS = 4  # equal parts of the common range at whose ends the best so far is told
Series = tuple[str, str]  # metric and split


@dataclass(frozen=True)
class Comparison:
    """One series of two runs. Leaders are names of runs, None: nobody clearly; early is the first quarter both have.

    `split` is the part a curve plays: a run that evaluates on nothing but `test` has it as its `val`. `crossing`: where
    the leader at the end passed for the last time; `expected`: where the one behind is about to; both in `unit`.
    """

    runs: tuple[str, str]
    metric: str
    split: str
    unit: str
    leader_early: str | None
    leader_end: str | None
    crossing: Crossing | None
    expected: Crossing | None
    message: str

    @property
    def late_overtaker(self) -> str | None:
        """The run that was behind early and is ahead at the end, or else is about to be; None without one."""
        if self.leader_early not in (None, self.leader_end):
            return self.leader_end
        if self.expected is None:
            return None
        return self.runs[1] if self.leader_end == self.runs[0] else self.runs[0]

    @property
    def interest(self) -> tuple[bool, bool, bool]:
        """Sorts what a reader wants to know first: the lead changed hands early to late, at all, somebody leads."""
        return self.late_overtaker is None, self.crossing is None, self.leader_end is None


@dataclass(frozen=True)
class Entrant:
    """A run among others; `curve` and `lr` are on the shared axis.

    `best_so_far`: the best logged value at each mark, shape (marks,), NaN where the run did not get so far.
    """

    diagnosis: Diagnosis
    label: str
    curve: Curve
    lr: Curve | None
    best_so_far: Floats
    best: float
    best_at: float
    last: float


@dataclass(frozen=True)
class SideBySide:
    """Runs on one axis, best first.

    `metric` and `split`: the series of the table and the plot; `marks`: where the best so far is told, shape (marks,).
    """

    unit: str
    metric: str
    split: str
    marks: Floats
    entrants: tuple[Entrant, ...]
    comparisons: tuple[Comparison, ...]
    seeds: tuple[Seeds, ...] = ()
    notes: tuple[str, ...] = ()
    plot: Path | None = None

    @property
    def main(self) -> tuple[Comparison, ...]:
        """The comparisons of the table's series: first where the lead changes hands, then by the better run."""
        rank = {entrant.diagnosis.run.name: place for place, entrant in enumerate(self.entrants)}
        mine = [c for c in self.comparisons if (c.metric, c.split) == (self.metric, self.split)]
        return tuple(sorted(mine, key=lambda c: (*c.interest, sorted(rank[name] for name in c.runs))))


def compare(report: Report, axis: str | None = None) -> Report:
    """The report with its runs compared on the `axis` wanted: epoch, step or time; None: the first that all have.

    Errors: NothingRecognisedError without a run, LogDoctorError with fewer than two that can be compared.
    """
    if not report.runs:
        raise NothingRecognisedError("no training log was recognised, so there is nothing to compare")
    if len(report.runs) == 1:
        raise LogDoctorError(f"compare needs two runs, and only {report.runs[0].run.name} was found")
    diagnoses = {id(d.run): d for d in report.runs}
    shared = share_axis(sorted((d.run for d in report.runs), key=lambda run: run.name), axis)
    series = [_placed_series(run, shared.unit) for run in shared.runs]
    if not (found := _main_series(series)):
        why = "; ".join(("no two runs share a loss or a metric, so there is nothing to compare", *shared.left_out))
        raise LogDoctorError(why)
    labels = short_names([run.name for run in shared.runs])
    named = zip(shared.runs, labels, series, strict=True)
    contenders = [(diagnoses[id(run)], label, mine) for run, label, mine in named]
    return replace(report, side_by_side=_side_by_side(shared, contenders, found))


def _side_by_side(
    shared: SharedAxis, contenders: Sequence[tuple[Diagnosis, str, dict[Series, Curve]]], main: Series
) -> SideBySide:
    marks = _marks([mine[main] for _, _, mine in contenders if main in mine])
    up = direction(main[0]) > 0
    entrants = [_entrant(d, label, mine[main], shared.unit, marks, up) for d, label, mine in contenders if main in mine]
    entrants.sort(key=lambda e: _order(e, up))
    comparisons = [
        _compared((a[0].run, b[0].run), (a[1], b[1]), (a[2][key], b[2][key]), key, shared.unit)
        for a, b in combinations(contenders, 2)
        for key in a[2]
        if key in b[2]
    ]
    seeds = [
        summarise([e.label for e in same], np.array([e.best for e in same]), np.array([e.best_so_far for e in same]))
        for group in seeds_of([e.label for e in entrants])
        for same in [[entrants[i] for i in group]]
    ]
    return SideBySide(
        shared.unit, *main, marks, tuple(entrants), tuple(c for c in comparisons if c), tuple(seeds), _notes(shared)
    )


def _notes(shared: SharedAxis) -> tuple[str, ...]:
    notes = [f"Left out: {reason}." for reason in shared.left_out]
    if shared.unit == "index":
        notes.append(
            "The runs have neither epochs nor steps nor times in common: the n-th value of one is compared with the "
            'n-th of the other. Tell the epochs with --steps-per-epoch N, or in logdoctor.toml under [runs."NAME"].'
        )
    return tuple(notes)


def main_series(run: Run) -> dict[Series, Curve]:
    """The loss and the main metrics of a run, one curve for each metric and split."""
    judged = [curve for curve in (run.train, run.val, run.val_metric) if curve is not None]
    groups: dict[Series, list[Curve]] = {}
    for curve in run.curves:
        known = curve.metric in COMPARED or any(curve is other for other in judged)
        if known and curve.finite.any():
            groups.setdefault((curve.metric, _part(curve, run)), []).append(curve)
    return {key: next((c for c in judged if any(c is one for one in curves)), None) or finest(curves)
            for key, curves in groups.items()}  # fmt: skip


def _part(curve: Curve, run: Run) -> str:
    """The split a curve stands for: what the run trains on where unsaid, validation where `test` is all there is."""
    if curve.split == "test" and not any(c.metric == curve.metric and c.split == "val" for c in run.curves):
        return "val"
    return "train" if curve is run.train else curve.split


def _placed_series(run: Run, unit: str) -> dict[Series, Curve]:
    placed = {key: on_axis(curve, run, unit) for key, curve in main_series(run).items()}
    return {key: curve for key, curve in placed.items() if curve is not None and curve.finite.any()}


def _main_series(series: Sequence[dict[Series, Curve]]) -> Series | None:
    """The series to show: of those most runs share validation loss, else validation metric, else train loss."""
    counts: dict[Series, int] = {}
    for mine in series:
        for key in mine:
            counts[key] = counts.get(key, 0) + 1
    shared = [key for key, count in counts.items() if count > 1]
    preferred = [("loss", "val"), *((metric, "val") for metric in MAIN_METRICS), ("loss", "train")]
    rank = {key: place for place, key in enumerate(preferred)}
    return min(shared, key=lambda key: (-counts[key], rank.get(key, len(rank))), default=None)


def _compared(
    runs: tuple[Run, Run], labels: tuple[str, str], curves: tuple[Curve, Curve], key: Series, unit: str
) -> Comparison | None:
    """One series of two runs; None where they have no common stretch."""
    role = {"val": "validation"}.get(key[1], key[1]) or "logged"
    first, second = (track(curve, role, Axis(unit)) for curve in curves)
    contest = meet((first.x, first.y), (second.x, second.y)) if first and second else None
    if contest is None or first is None or second is None:
        return None
    verdict = Verdict.of(contest)
    names = (runs[0].name, runs[1].name)
    early, end = (None if who is None else names[who] for who in (verdict.early, verdict.end))
    message = describe(verdict, contest, (first, second), labels, unit)
    return Comparison(names, *key, unit, early, end, verdict.crossing, verdict.expected, message)


def _marks(curves: Sequence[Curve]) -> Floats:
    """Four equal parts of the range that at least half of the runs reach; whole numbers where that is fine enough."""
    ends = sorted(float(curve.x[-1]) for curve in curves)
    end = ends[(len(ends) - 1) // 2]
    marks = end * np.arange(1, MARKS + 1) / MARKS
    return np.unique(np.floor(marks)) if end >= 2 * MARKS else marks


def _entrant(diagnosis: Diagnosis, label: str, curve: Curve, unit: str, marks: Floats, up: bool) -> Entrant:
    x, y = curve.x[curve.finite], curve.value[curve.finite]
    best = np.maximum.accumulate(y) if up else np.minimum.accumulate(y)
    reached = np.searchsorted(x, marks + 1e-9, side="right") - 1
    so_far = np.where((reached >= 0) & (marks <= x[-1] * 1.01), best[np.maximum(reached, 0)], np.nan)
    at = int(np.argmax(y) if up else np.argmin(y))
    lr = diagnosis.run.lr
    placed = on_axis(lr, diagnosis.run, unit) if lr is not None and len(lr) else None
    return Entrant(diagnosis, label, curve, placed, so_far, float(y[at]), float(x[at]), float(y[-1]))


def _order(entrant: Entrant, up: bool) -> tuple[bool, float, float]:
    """Best first by the value at the last mark; runs that did not get there follow, by their best."""
    sign = -1.0 if up else 1.0
    last = float(entrant.best_so_far[-1])
    return (bool(np.isnan(last)), 0.0 if np.isnan(last) else sign * last, sign * entrant.best)
