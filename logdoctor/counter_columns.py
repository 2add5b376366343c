"""Counters in the column they belong to: some files put epochs or batches into that of the steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from logdoctor.rows import Floats, Ints, Rows, any_known, ascends

_AT_ONCE = 1 << 15  # rows


def prepare(rows: Rows) -> Rows:
    """Counters in the column they belong to: steps that restart every epoch are batches, some count epochs."""
    return _epochs_in_step_column(_steps_inside_epochs(_epochs_from_series(rows)))


def _epochs_from_series(rows: Rows) -> Rows:
    """A series that is itself the epoch (`epoch` in event files) labels the rows at its steps."""
    code = next((i for i, s in enumerate(rows.series) if s.metric == "epoch"), None)
    if code is None or any_known(rows.epoch):
        return rows
    mine = np.flatnonzero(rows.code == code)
    step, label = rows.step[mine], rows.value[mine]
    good = np.isfinite(step) & np.isfinite(label)
    if good.sum() < 2:
        return rows
    if not good.all():
        step, label = step[good], label[good]
    if not (step[1:] > step[:-1]).all():
        step, first = np.unique(step, return_index=True)
        label = label[first]
    return replace(rows, epoch=_looked_up(rows.step, step, label))


def _looked_up(wanted: Floats, step: Floats, label: Floats) -> Floats:
    """For each wanted step its label, NaN without one; `step` ascends. Equal steps in a row are looked up once."""
    found = np.empty(len(wanted))
    for low in range(0, len(wanted), _AT_ONCE):  # in the cache
        part = wanted[low : low + _AT_ONCE]
        first = np.concatenate(([0], np.flatnonzero(part[1:] != part[:-1]) + 1))
        labels = _labels_of(part[first], step, label)
        found[low : low + _AT_ONCE] = np.repeat(labels, np.diff(first, append=len(part)))
    return found


def _labels_of(wanted: Floats, step: Floats, label: Floats) -> Floats:
    """The same for different steps in a row, which as a rule are those of labels in a row."""
    low = int(np.searchsorted(step, wanted[0]))
    if np.array_equal(step[low : low + len(wanted)], wanted):
        return label[low : low + len(wanted)]
    at = np.minimum(np.searchsorted(step, wanted), len(step) - 1)
    return np.where(step[at] == wanted, label[at], np.nan)


def _steps_inside_epochs(rows: Rows) -> Rows:
    """A step that goes back exactly where the epoch goes on counts batches inside the epoch."""
    if not any_known(rows.epoch) or not any_known(rows.step) or ascends(rows.step):
        return rows
    both = np.isfinite(rows.step) & np.isfinite(rows.epoch)
    step, batch = rows.step.copy(), rows.batch.copy()
    for index in rows.by_series():
        index = index[both[index]]
        forward = np.diff(rows.epoch[index]) > 0
        back = np.diff(rows.step[index]) < 0
        if forward.sum() >= 1 and (back & forward).sum() >= 0.8 * forward.sum() and (back & ~forward).sum() == 0:
            batch[index], step[index] = rows.step[index], np.nan
    return replace(rows, step=step, batch=batch)


def _epochs_in_step_column(rows: Rows) -> Rows:
    """Series whose step goes 0, 1, 2 … while another's runs far further in the same time count epochs, not updates."""
    if not rows.series or any_known(rows.epoch):
        return rows
    lengths = _lengths(rows)
    longest = max(lengths)
    alike = 1.5 * min((length for length in lengths if length), default=0.0) > longest and all(lengths)
    if alike and not any(s.tag.lower().startswith("epoch_") for s in rows.series):
        return rows
    by_series = rows.by_series()
    reference = by_series[int(np.argmax(lengths))]
    counted = [
        index
        for index, length in zip(by_series, lengths, strict=True)
        if _counts_epochs(rows, index, reference, length, longest)
    ]
    named = [
        index
        for index, s in zip(by_series, rows.series, strict=True)
        if len(index) and s.tag.lower().startswith("epoch_") and _counts_up(rows.step[index])
    ]
    if not (counted or named):
        return rows
    step, epoch = rows.step.copy(), rows.epoch.copy()
    for index in counted or named:
        epoch[index], step[index] = rows.step[index], np.nan
    moved = replace(rows, step=step, epoch=epoch)
    return _label_by_time(moved, np.concatenate(counted), reference) if counted else moved


def _lengths(rows: Rows) -> list[float]:
    """How many steps each series spans; 0 where it is empty or one of its steps is unknown."""
    found = np.zeros(len(rows.series))
    if len(rows) and ascends(rows.step):
        first, last = rows.ends()
        found = np.where(first < 0, 0.0, rows.step[last] - rows.step[first])
    elif len(filled := np.flatnonzero(np.diff(rows.bounds))):
        steps, starts = rows.step[rows.order], rows.bounds[filled]
        found[filled] = np.maximum.reduceat(steps, starts) - np.minimum.reduceat(steps, starts)
    lengths: list[float] = np.where(np.isfinite(found), found, 0.0).tolist()
    return lengths


def _counts_epochs(rows: Rows, index: Ints, reference: Ints, length: float, longest: float) -> bool:
    """Whether a series counts 0, 1, 2 … (or by k) over the same time in which the reference makes many more steps."""
    if length * 1.5 > longest:
        return False
    forward = np.diff(rows.step[index])
    forward = forward[forward > 0]
    if not len(forward) or rows.step[index[0]] > 1 + forward.min():
        return False
    time, all_time = rows.wall_time[index], rows.wall_time[reference]
    if not (np.isfinite(time).all() and np.isfinite(all_time).all()):
        return False
    span = np.ptp(all_time)
    return bool(span > 0 and np.ptp(time) >= 0.5 * span)


def _counts_up(step: Floats) -> bool:
    """Whether steps go 0, 1, 2 …: where the tag says so too (Keras' `epoch_loss`) they are epochs."""
    return bool(np.isfinite(step).all()) and bool(np.all(np.diff(step) == 1))


def _label_by_time(rows: Rows, counted: Ints, reference: Ints) -> Rows:
    """Rows that count steps lie in the epoch whose own row is the next to be written, by wall time."""
    order = counted[np.argsort(rows.wall_time[counted], kind="stable")]
    following = np.searchsorted(rows.wall_time[order], rows.wall_time[reference], side="left")
    inside = following < len(order)
    epoch = rows.epoch.copy()
    epoch[reference[inside]] = rows.epoch[order[following[inside]]]
    return replace(rows, epoch=epoch)
