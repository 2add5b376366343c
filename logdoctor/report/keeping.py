"""What a report over many runs keeps of each: its plot, drawn while the run is at hand, and the points a page shows."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from logdoctor.diagnosis import Diagnosis
from logdoctor.report.pictures import draw_early
from logdoctor.report.scales import Ints, thin_places
from logdoctor.report.shown import restarts, shown_curves, smoothed, varying_rate
from logdoctor.run import Curve, Run, Whole

MOST_POINTS = 2_000_000  # kept of all curves together, about 100 MB
CURVES, COLUMN_POINTS = 3, 4  # that are shown of a run, and of each of these in a column of pixels
FEWEST = 40  # columns of pixels


def finish(diagnosis: Diagnosis, *, files: int, plots: str, plot_format: str, folder: Path) -> Diagnosis:
    """The diagnosis with its plot drawn into a file of `folder`, if it gets one, and only the points that pages show.

    `files`: how many share the room there is; `plots` is `all`, `some` or `none`.
    """
    drawn = draw_early(diagnosis, plots, plot_format, folder)
    columns = max(FEWEST, MOST_POINTS // (CURVES * COLUMN_POINTS * max(files, 1)))
    return replace(drawn, run=thinned(drawn, columns))


def thinned(diagnosis: Diagnosis, columns: int) -> Run:
    """The run with the points that so many columns of pixels show; of curves not shown with those that figures tell."""
    run = diagnosis.run
    breaks = [drop.at for drop in diagnosis.schedule.drops]
    rate = varying_rate(run)
    shown = {id(curve) for curve in (*shown_curves(run), *([rate] if rate else []))}
    made = {id(curve): _thinned(curve, columns if id(curve) in shown else 0, breaks) for curve in run.curves}

    def role(curve: Curve | None) -> Curve | None:
        return None if curve is None else made[id(curve)]

    return replace(
        run,
        curves=tuple(made[id(curve)] for curve in run.curves),
        restarts=tuple(restarts(run)),
        rows=None,
        train=role(run.train),
        val=role(run.val),
        lr=role(run.lr),
        val_metric=role(run.val_metric),
    )


def _thinned(curve: Curve, columns: int, breaks: list[float]) -> Curve:
    """The curve with the points that `columns` need; 0: with those only that figures are taken from."""
    places = _telling(curve)
    smooth = None
    if columns and len(curve) > COLUMN_POINTS * columns:
        smooth = smoothed(curve, breaks)
        drawn = [thin_places(curve.x, y, columns) for y in (curve.value, smooth)]
        broken = np.flatnonzero(~curve.finite)
        spread = thin_places(curve.x[broken], np.zeros(len(broken)), columns)
        places = np.unique(np.concatenate([places, *drawn, broken[spread]]))
    elif columns:
        return _copied(curve)
    whole = Whole(curve.points, curve.non_finite, None if smooth is None else smooth[places])
    return replace(_taken(curve, places), thinned=whole)


def _telling(curve: Curve) -> Ints:
    """Where the first and the last value stand (of all, of the finite), the least, the largest, earliest and latest."""
    if not len(curve):
        return np.empty(0, np.int64)
    places = [0, len(curve) - 1]
    finite = np.flatnonzero(curve.finite)
    if len(finite):
        places += [int(finite[0]), int(finite[-1]), curve.best(False), curve.best(True)]
    if len(finite) < len(curve):
        places.append(int(np.argmin(curve.finite)))
    if np.isfinite(curve.wall_time).any():
        places += [int(np.nanargmin(curve.wall_time)), int(np.nanargmax(curve.wall_time))]
    return np.unique(places)


def _taken(curve: Curve, places: Ints) -> Curve:
    arrays = {name: getattr(curve, name)[places] for name in ("x", "value", "step", "wall_time", "source", "line")}
    return replace(curve, **arrays)


def _copied(curve: Curve) -> Curve:
    """All points, in memory of their own."""
    return _taken(curve, np.arange(len(curve)))


def spool() -> tempfile.TemporaryDirectory[str]:
    """Where plots lie until the report knows their names."""
    return tempfile.TemporaryDirectory(prefix="logdoctor-")
