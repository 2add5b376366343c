"""Iterations per epoch, counted from the lines in which a data thread says that it starts over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from logdoctor_parsers.contract import Fact, Floats, Ints

MIN_PASSES = 5
MAX_SCATTER = 0.15  # of a pass: the thread runs a few batches ahead, and iterations are known on the display grid only
SAME = 0.02
IN_TEST = 0.5  # share of a thread's restarts that fall into tests, above which it reads test data


def steps_per_epoch(
    threads: Sequence[bytes], lines: Ints, times: Floats, steps: Floats, step_times: Floats, in_test: Sequence[bool]
) -> Fact | None:
    """The fact `steps_per_epoch`, on the line of the first pass used, or None where the lines leave it open.

    threads, lines, times (seconds), in_test: one per restart line. steps, step_times: iterations and when they were
    logged, in order, of the same process. A thread's passes lie on a straight line over the iterations; its slope is
    the epoch. Threads that restart inside tests read test data. Train threads must agree.
    """
    found = []
    for thread in dict.fromkeys(threads):
        mine = np.array([t == thread for t in threads])
        if mine.sum() < MIN_PASSES or np.mean(np.asarray(in_test)[mine]) > IN_TEST:
            continue
        slope = _slope(np.interp(times[mine], step_times, steps))
        if slope is not None:
            found.append((slope, int(lines[mine][0])))
    if not found or max(found)[0] > min(found)[0] * (1 + SAME):
        return None
    return Fact("steps_per_epoch", float(f"{found[0][0]:.4g}"), found[0][1])


def _slope(at: Floats) -> float | None:
    """Iterations per pass from the iteration at each pass; None where they do not lie on a line."""
    number = np.arange(len(at))
    slope, level = np.polyfit(number, at, 1)
    if slope < 1 or np.std(at - (slope * number + level)) > MAX_SCATTER * slope:
        return None
    return float(slope)
