"""Sudden rises of a loss, judged by the past only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from logdoctor.curves.noise import noise, robust_sigma

Floats = npt.NDArray[np.float64]

MIN_SIGMAS, MIN_SHARE = 8.0, 0.1  # defaults for epoch means: height in σ of the past, and of the drop so far
RECENT = 5  # points whose median is the level before
MEMORY = 30  # points whose scatter is the usual one
LASTING_SIGMAS = 3.0  # the next point must still be above: a lone value is a hard batch or a heavy tail …
LONE_RECORD = 10.0  # … unless it is this many times the largest rise before (or three σ)
RECORD = 3.0  # times the largest rise seen before: heavy tails make their own outliers
LEARNED = 0.03  # share of the start that must have been learned: before that every bump is large against the drop
BACK_SHARE = 0.25  # of the jump that may remain when it counts as recovered


@dataclass(frozen=True)
class Spike:
    """`index`: its first point; `before`: the level before; `peak`: the highest value of it; `sigmas`: the jump in σ.

    `back`: index at which the loss was back (three quarters of the jump undone), None if it never came back.
    """

    index: int
    before: float
    peak: float
    sigmas: float
    back: int | None


def find_spikes(y: Floats, min_sigmas: float = MIN_SIGMAS, min_share: float = MIN_SHARE) -> list[Spike]:
    """All spikes of a curve y (n,), in order.

    A spike rises above the median of the last five points by more than `min_sigmas` of the scatter of the past, by
    more than `min_share` of the drop so far, by more than three times the largest rise seen before, and for more than
    a single point, unless far beyond anything before. Looking at the past
    only matters: a window reaching beyond an unrecovered jump would take its level for noise.
    """
    found: list[Spike] = []
    if len(y) <= RECENT:
        return found
    windows = np.lib.stride_tricks.sliding_window_view(y[:-1], RECENT)
    before = np.median(windows, axis=1)  # of y[i + RECENT]
    jumps, drops = y[RECENT:] - before, y[0] - before
    resume, record = 0, 0.0
    for i in range(len(jumps)):
        jump = float(jumps[i])
        if i < resume or jump <= record or drops[i] <= LEARNED * abs(float(y[0])):
            continue
        if jump > max(min_share * float(drops[i]), RECORD * record):
            sigma = _past_scatter(y[max(0, i + RECENT - MEMORY) : i + RECENT])
            lasting = i + 1 < len(jumps) and y[i + RECENT + 1] > before[i] + LASTING_SIGMAS * sigma
            if sigma > 0 and jump > min_sigmas * sigma and (lasting or jump > LONE_RECORD * max(record, 3 * sigma)):
                found.append(_follow(y, i + RECENT, float(before[i]), jump / sigma))
                back = found[-1].back
                resume = len(y) if back is None else back + 1
                continue
        record = jump
    return found


def _past_scatter(past: Floats) -> float:
    """σ between neighbours, the larger of two estimates: steps are few."""
    return max(noise(past, max_lag=1), robust_sigma(np.diff(past)) / 2**0.5)


def _follow(y: Floats, index: int, before: float, sigmas: float) -> Spike:
    """The course of a spike from its first point on."""
    height = float(y[index]) - before
    after = np.flatnonzero(y[index:] <= before + BACK_SHARE * height)
    back = index + int(after[0]) if len(after) else None
    peak = float(y[index : back if back is not None else len(y)].max())
    return Spike(index, before, peak, sigmas, back)
