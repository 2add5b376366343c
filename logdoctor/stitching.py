"""Counters that go back: several experiments in one file, or restarts of the same run, stitched with a receipt.

A counter that returns to where the run began starts a new experiment. One that returns to a later place is a resume: it
overlaps or continues what stood there, and the later copy of each step is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from logdoctor.rows import Floats, Ints, Rows, any_known, ascends

JITTER_SHARE = 0.2  # a counter that goes back at more than this share of its rows is unordered, not restarted
START_TOLERANCE = 2.0  # logging intervals: a counter this near to the run's first value is back at the start


@dataclass(frozen=True)
class Experiment:
    """One run cut out of its files: rows of all attempts without copies, and how many copies each series lost."""

    rows: Rows
    attempts: int
    dropped: dict[int, int]
    receipts: tuple[str, ...]


def stitch(rows: Rows, starts: Sequence[int] = ()) -> list[Experiment]:
    """Rows in writing order → experiments. `starts`: rows at which the log itself says that a process began."""
    positions = counters(rows)
    breaks = sorted({*find_breaks(rows, positions), *(row for row in starts if 0 < row < len(rows))})
    if not breaks:
        return [Experiment(rows, 1, {}, ())]
    blocks = [np.arange(low, high) for low, high in zip([0, *breaks], [*breaks, len(rows)], strict=True)]
    groups: list[list[Ints]] = []
    for block in blocks:
        dead = bool(groups) and all(_dead_start(rows, positions, former) for former in groups[-1])
        if groups and (dead or _resumes(rows, positions, groups[-1], block)):
            groups[-1].append(block)
        else:
            groups.append([block])
    return [_join(rows, positions, group, set(starts)) for group in groups]


def counters(rows: Rows) -> Floats:
    """What orders each row inside its series: steps where all its rows have them, else epochs, else NaN. Shape (n,)."""
    if np.isfinite(rows.step).all():
        return rows.step
    epochs = rows.labels
    if not any_known(rows.step) and np.isfinite(epochs).all():
        return epochs
    position = np.full(len(rows), np.nan)
    for index in rows.by_series():
        for candidate in (rows.step[index], epochs[index]):
            if len(index) and np.isfinite(candidate).all():
                position[index] = candidate
                break
    return position


def find_breaks(rows: Rows, positions: Floats) -> list[int]:
    """First rows of blocks: the fewest cuts after which no series' counter goes back."""
    if not _falls_anywhere(rows, positions):
        return []
    candidates: list[tuple[int, int]] = []  # (row after which, row at which) a counter went back
    for index in rows.by_series():
        back = np.flatnonzero(_goes_back(rows, positions, index))
        if len(back) <= max(1.0, JITTER_SHARE * len(index)):
            candidates += [(int(index[i]), int(index[i + 1])) for i in back]
    breaks: list[int] = []
    for before, at in sorted(candidates, key=lambda pair: pair[1]):
        if not breaks or breaks[-1] <= before:
            breaks.append(at)
    return [_widen(rows, at) for at in breaks]


def _falls_anywhere(rows: Rows, positions: Floats) -> bool:
    """Whether any series' position falls at all."""
    if ascends(positions):
        return False
    falls = np.diff(positions[rows.order]) < 0
    between = rows.bounds[1:-1] - 1  # from one series to the next
    falls[between[(between >= 0) & (between < len(falls))]] = False
    return bool(falls.any())


def _goes_back(rows: Rows, positions: Floats, index: Ints) -> np.typing.NDArray[np.bool_]:
    """Where a series' counter falls, shape (k - 1,).

    Inside one epoch only a return to its first batch counts: the last, smaller batch can carry a smaller number.
    """
    back = np.diff(positions[index]) < 0
    batch = rows.batch[index]
    if not np.isfinite(batch).any():
        return back
    same_epoch = np.diff(rows.epoch[index]) == 0
    counted: np.typing.NDArray[np.bool_] = back & ~(same_epoch & ~(batch[1:] <= np.nanmin(batch)))
    return counted


def _widen(rows: Rows, at: int) -> int:
    """A record starts with the first number of its line: the cut goes before it."""
    while at > 0 and rows.line[at - 1] == rows.line[at] and rows.source[at - 1] == rows.source[at]:
        at -= 1
    return at


def _resumes(rows: Rows, positions: Floats, group: Sequence[Ints], block: Ints) -> bool:
    """Whether a block goes on with the run before it: it begins clearly later than that run's own beginning."""
    before = np.concatenate(group)
    shared = [code for code in np.unique(rows.code[block]) if np.any(rows.code[before] == code)]
    votes = []
    for code in shared:
        old = positions[before[rows.code[before] == code]]
        new = positions[block[rows.code[block] == code]]
        if np.isfinite(old).all() and np.isfinite(new).all() and len(old) > 1:
            interval = float(np.median(np.abs(np.diff(old))))
            votes.append((len(old), bool(new[0] > old[0] + START_TOLERANCE * interval)))
    return max(votes)[1] if votes else not shared


def _dead_start(rows: Rows, positions: Floats, block: Ints) -> bool:
    """Whether a start came no further than one place of its counters: what follows is the real beginning."""
    return all(len(np.unique(positions[block[rows.code[block] == code]])) < 2 for code in np.unique(rows.code[block]))


def _join(rows: Rows, positions: Floats, group: Sequence[Ints], starts: set[int]) -> Experiment:
    """Blocks of one run in order, without the earlier copies of what a later attempt wrote again."""
    chosen = np.concatenate(group)
    attempt = np.repeat(np.arange(len(group)), [len(block) for block in group])
    joined = replace(rows.take(chosen), attempt=attempt)
    if len(group) == 1:
        return Experiment(joined, 1, {}, ())
    stated = [number for number, block in enumerate(group) if number and int(block[0]) in starts]
    keep = ~(_copied(joined, positions[chosen]) | _superseded(joined, positions[chosen], stated))
    lost = {int(code): int(n) for code, n in zip(*np.unique(joined.code[~keep], return_counts=True), strict=True)}
    receipts = tuple(_receipt(joined, positions[chosen], keep, number) for number in range(1, len(group)))
    return Experiment(joined.take(keep), len(group), lost, receipts)


def _copied(rows: Rows, positions: Floats) -> np.typing.NDArray[np.bool_]:
    """Rows whose series and position stand again in a later attempt."""
    keys = list(zip(rows.code.tolist(), positions.tolist(), strict=True))
    attempts = rows.attempt.tolist()
    latest = dict(zip(keys, attempts, strict=True))  # of equal keys the last one counts
    return np.array([latest[key] > attempt for key, attempt in zip(keys, attempts, strict=True)], bool)


def _superseded(rows: Rows, positions: Floats, stated: Sequence[int]) -> np.typing.NDArray[np.bool_]:
    """Rows that a start stated by the log declares void: those of earlier attempts at or past its first position."""
    void = np.zeros(len(rows), bool)
    by_step = positions == rows.step
    for number in stated:
        for alike in (by_step, ~by_step):
            first = positions[alike & (rows.attempt == number)].min(initial=np.inf)
            void |= alike & (rows.attempt < number) & (positions >= first)
    return void


def _receipt(rows: Rows, positions: Floats, keep: np.typing.NDArray[np.bool_], number: int) -> str:
    """What joining attempt `number` to those before kept and dropped, in words."""
    mine = np.flatnonzero(rows.attempt == number)
    begins = positions[mine].min(initial=np.inf, where=np.isfinite(positions[mine]))
    lost = int(np.sum(~keep & (rows.attempt == number - 1) & (positions >= begins)))
    unit = "step" if np.isfinite(rows.step[mine]).any() else "epoch"
    start = positions[mine][np.isfinite(positions[mine])]
    at = f"{unit} {start[0]:g}" if len(start) else "its first row"
    kept = f"{lost} numbers superseded, the later copy kept" if lost else "nothing written twice"
    return f"restart {number} (from line {int(rows.line[mine[0]])}) goes on at {at}: {kept}"
