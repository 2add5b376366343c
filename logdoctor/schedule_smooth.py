"""Smooth schedules: which family a rate that changes all the time follows, and what its parameters are called."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from logdoctor.curves.schedules import Fit, fit_families
from logdoctor.schedule_levels import Rates, Shape, common_length

Floats = npt.NDArray[np.float64]

FITS_WITHIN = 0.01  # of the largest rate: a family that leaves more is not the one
FITS_EXACTLY = 2e-4  # of the largest rate: no other view of the points can be fitted better
FITS_WELL = 0.002  # of the largest rate: no need to look for a constant head or tail
LEAST_POINTS = 3  # so few points fit any family
FIT_POINTS = 100  # as many points decide as well as all


def smooth_shape(rates: Rates, start: float = 0.0) -> Shape | None:
    """The smooth family that points after a warm-up until `start` follow; None where none does."""
    if len(rates.levels) < 3 or len(rates.x) < 3 or _rough(rates):
        return None
    fit, origin = _best(_views(rates, start), rates)
    if fit.rms > FITS_WELL * rates.value.max() + rates.digit:
        held, held_origin = _best(_trimmed_views(rates), rates)
        fit, origin = (held, held_origin) if held.rms < 0.3 * fit.rms else (fit, origin)
    if not acceptable(fit, rates):
        return None
    return named(fit, {"start": origin} if origin > 0 else {})


def acceptable(fit: Fit, rates: Rates, within: float = FITS_WITHIN) -> bool:
    """Whether a fit leaves no more than rounding and the gap between an update and its log line explain."""
    return fit.rms <= within * float(rates.value.max()) + rates.digit


def _rough(rates: Rates) -> bool:
    """Whether the rate goes up and down by more than any curve that only falls, or only rises, could leave.

    Where such a curve meets two neighbours in the wrong order, it leaves at least half the square of their distance.
    """
    y = rates.value[_picked(rates)]
    moves = [np.diff(y)[first::2] for first in (0, 1)]  # pairs that share no point
    left = [max(float(np.sum(np.maximum(sign * move, 0.0) ** 2)) for move in moves) / 2 for sign in (1, -1)]
    return math.sqrt(min(left) / len(y)) > FITS_WITHIN * float(rates.value.max()) + rates.digit


def _picked(rates: Rates) -> npt.NDArray[np.int64]:
    return np.unique(np.linspace(0, len(rates.x) - 1, FIT_POINTS).round().astype(np.int64))


def stairs_shape(rates: Rates) -> Shape | None:
    """Six or more stairs of one length whose heights follow a smooth curve; None where they do not."""
    if len(rates.levels) < 6 or common_length(rates.gaps, rates.grid) is None:
        return None
    fit = fit_families(np.array([0.0, *rates.places]), rates.heights, rates.digit)[0]
    return named(fit, {}) if acceptable(fit, rates, 0.3 * FITS_WITHIN) else None


def _best(views: Iterable[tuple[Floats, Floats, float]], rates: Rates) -> tuple[Fit, float]:
    """The best family of the first view that is fitted exactly, else of the one fitted most closely."""
    exact = FITS_EXACTLY * float(rates.value.max()) + 0.3 * rates.digit
    best, best_origin = Fit("custom", {}, math.inf, math.inf), 0.0
    for x, y, origin in views:
        fit = fit_families(x, y, rates.digit, origin)[0]
        if fit.rms < best.rms:
            best, best_origin = fit, origin
        if fit.rms < exact:
            break
    return best, best_origin


def _views(rates: Rates, start: float) -> Iterator[tuple[Floats, Floats, float]]:
    """The points as logged, and one point a stair where it begins.

    They count from where the schedule can have started: the end of the warm-up, an epoch later (a line may show the
    rate of the epoch it ends), the first line, or the start of the run.
    """
    pick = _picked(rates)
    x, y, stairs = rates.x[pick], rates.value[pick], _stairs(rates)
    for origin in dict.fromkeys((start, start + 1.0, float(rates.x[0]), 0.0)):
        if origin <= rates.x[0] or origin == start:
            yield x, y, origin
    if stairs is not None and len(stairs) > LEAST_POINTS:
        for origin in dict.fromkeys((start, 0.0)):
            yield stairs, rates.heights, origin


def _stairs(rates: Rates) -> Floats | None:
    """Where each level begins, if each lasts about one epoch (or as long as the others where epochs are unknown)."""
    first, rest = rates.levels[0].first, rates.places
    if rates.grid.unit == "epoch":
        begun = np.array([max(math.ceil(first - 1e-6) - 1.0, 0.0), *rest])
        return begun if np.all(np.diff(begun) <= 1.05 + rates.grid.interval) else None
    return np.array([first, *rest]) if common_length(rates.gaps, rates.grid) is not None else None


def _trimmed_views(rates: Rates) -> Iterator[tuple[Floats, Floats, float]]:
    """The points without a constant head, without a constant tail, without both."""
    head, tail = rates.levels[0].last, rates.levels[-1].first
    for begin, finish in ((rates.x[0], tail), (head, rates.x[-1]), (head, tail)):
        keep = np.flatnonzero((rates.x >= begin) & (rates.x <= finish))
        keep = keep[np.unique(np.linspace(0, len(keep) - 1, FIT_POINTS).round().astype(int))]
        if len(keep) > LEAST_POINTS:
            yield rates.x[keep], rates.value[keep], float(begin) if begin > rates.x[0] else 0.0


def named(fit: Fit, extra: dict[str, float]) -> Shape:
    """A fit as a shape: a poly of power one is linear; parameters to four digits."""
    parameters = {name: float(f"{value:.4g}") for name, value in {**fit.parameters, **extra}.items()}
    if fit.kind == "poly" and abs(parameters["power"] - 1) < 0.02:
        return Shape("linear", {k: v for k, v in parameters.items() if k != "power"})
    if fit.kind == "linear":
        parameters.pop("slope")
    return Shape(fit.kind, dict(parameters))
