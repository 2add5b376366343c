"""Where each number lies on the run's axis: epochs completed where they can be known, else steps, else rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from logdoctor.rows import Floats, Rows, batches_in_epoch
from logdoctor.run import Axis, RunFact
from logdoctor_parsers.names import words


@dataclass(frozen=True)
class Given:
    """What the user says about the epochs of one run; None where nothing was said."""

    dataset_size: float | None = None
    batch_size: float | None = None
    steps_per_epoch: float | None = None
    augmentation_factor: float | None = None


@dataclass(frozen=True)
class Placed:
    """Rows with their place: `x` on the axis, `step` in optimizer updates (NaN where unknown), shape (n,) each."""

    axis: Axis
    x: Floats
    step: Floats


def place(rows: Rows, facts: Mapping[str, RunFact], given: Given) -> Placed:
    """Choose the axis and put every row on it (rows without any counter follow the row written before them)."""
    base = _label_base(rows)
    completed = _epochs_completed(rows, base)
    known, origin = _steps_per_epoch(rows, base, facts, given)
    step = _steps(rows, completed, known)
    epochs = completed if known is None else _with_steps(rows, completed, base, known)
    by_epoch, by_step = np.isfinite(epochs), np.isfinite(step)
    if not by_epoch.any() and not by_step.any():
        return Placed(Axis("index"), _row_numbers(rows), step)
    if by_epoch.sum() < by_step.sum() or (_varies(step) and not _varies(epochs)):
        return Placed(Axis("step"), _filled(step), step)
    factor = given.augmentation_factor or 1.0
    axis = Axis("epoch", None if known is None else known / factor, origin or "logged")
    return Placed(axis, _filled(epochs * factor), step)


def _varies(places: Floats) -> bool:
    """Whether the known places are more than one: a label that never changes tells nothing."""
    known = places[np.isfinite(places)]
    return bool(len(known)) and bool(known.min() < known.max())


def _label_base(rows: Rows) -> float:
    """What the log calls its first epoch: 0 or 1. Fractional labels without a batch are positions already (base 0)."""
    labelled = np.isfinite(rows.epoch)
    if not labelled.any() or _fractional(rows):
        return math.nan
    train = labelled & np.isin(rows.code, [i for i, s in enumerate(rows.series) if s.split in ("train", "")])
    first = rows.epoch[train].min() if train.any() else rows.epoch[labelled].min()
    return 0.0 if first == 0 else 1.0


def _fractional(rows: Rows) -> bool:
    labels = rows.epoch[np.isfinite(rows.epoch) & ~np.isfinite(rows.batch)]
    return bool(np.any(labels != np.floor(labels)))


def _epochs_completed(rows: Rows, base: float) -> Floats:
    """Epochs done at each row by the log's own labels: label and batch, or the end of the labelled epoch."""
    if math.isnan(base):
        return rows.epoch
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = np.clip(rows.batch / batches_in_epoch(rows), 0.0, 1.0)
    return np.maximum(rows.epoch - base + np.where(np.isfinite(inside), inside, 1.0), 0.0)


def _with_steps(rows: Rows, completed: Floats, base: float, known: float) -> Floats:
    """Epochs by step: for rows without a label, and inside the labelled epoch (its last step, from 0, completes it)."""
    by_step = rows.step / known
    x = np.where(np.isfinite(completed), completed, by_step)
    if math.isnan(base):
        return x
    start = rows.epoch - base
    inside = np.where((rows.step + 1) / known >= start + 1 - 1e-9, start + 1, np.clip(by_step, start, start + 1))
    return np.where(np.isfinite(inside) & ~np.isfinite(rows.batch), inside, x)


def _steps(rows: Rows, completed: Floats, known: float | None) -> Floats:
    """Optimizer updates: as logged, else from the epochs completed where the epoch's length is known."""
    return rows.step if known is None else np.where(np.isfinite(rows.step), rows.step, np.round(completed * known))


def _steps_per_epoch(
    rows: Rows, base: float, facts: Mapping[str, RunFact], given: Given
) -> tuple[float | None, str | None]:
    """The length of an epoch and whence: given, logged, read off steps and epochs, or dataset size ÷ batch."""
    if given.steps_per_epoch:
        return given.steps_per_epoch, "given"
    size = given.dataset_size or _number(facts, "dataset_size")
    batch = given.batch_size or _effective_batch(facts)
    if given.dataset_size and batch:
        return given.dataset_size / batch, "given"
    if (logged := _number(facts, "steps_per_epoch")) is not None:
        return logged, "logged"
    if (counted := steps_per_epoch_seen(rows, base)) is not None:
        return counted, "derived"
    if (interval := _interval_of_epoch_means(rows)) is not None:
        return interval, "derived"
    planned, epochs = _number(facts, "max_iter"), _number(facts, "epochs")
    if planned and epochs and planned > epochs:
        return planned / epochs, "derived"
    return (size / batch, "derived") if size and batch else (None, None)


def _number(facts: Mapping[str, RunFact], name: str) -> float | None:
    value: Any = facts[name].value if name in facts else None
    return float(value) if isinstance(value, int | float) and value > 0 and math.isfinite(value) else None


def _effective_batch(facts: Mapping[str, RunFact]) -> float | None:
    """Images per optimizer update: batch × accumulation × devices."""
    batch = _number(facts, "batch_size")
    if batch is None:
        return None
    return (
        batch * (_number(facts, "iter_size") or _number(facts, "accumulation") or 1) * (_number(facts, "devices") or 1)
    )


def steps_per_epoch_seen(rows: Rows, base: float) -> float | None:
    """The epoch length that fits all rows with both a step and an epoch (None: too few, or they disagree)."""
    both = np.isfinite(rows.step) & np.isfinite(rows.epoch) & ~np.isfinite(rows.batch)
    step, epoch = rows.step[both], rows.epoch[both]
    if not (_varies(step) and _varies(epoch)):
        return None
    if math.isnan(base):
        late = epoch >= 0.5 * epoch.max()  # the later, the less the rounding of the logged epoch matters
        return _nearest_whole(float(np.median(step[late] / epoch[late]))) if epoch.max() > 0 else None
    done = epoch - base  # epochs completed before the labelled one: done·n ≤ step ≤ (done + 1)·n
    step, done = step[done >= 0], done[done >= 0]
    if not len(step):
        return None
    lower = float(np.max(step / (done + 1)))
    upper = float(np.min(step[done > 0] / done[done > 0])) if np.any(done > 0) else math.inf
    if upper < lower * 0.98 or lower < 1:
        return None
    touched = [
        (int(np.sum(np.abs(counts / bound - 1) < 1e-9)), bound)
        for counts, bound in ((step / (done + 1), lower), (step[done > 0] / done[done > 0], upper))
        if math.isfinite(bound) and bound == round(bound)
    ]
    if touched:  # a whole bound that several epochs reach exactly is the length itself
        return max(touched)[1]
    whole = math.ceil(lower - 1e-6)
    return float(whole) if whole <= upper * 1.001 else lower


def _interval_of_epoch_means(rows: Rows) -> float | None:
    """Steps between the values of a series whose tag says `epoch` (`train_loss_epoch`), where they are regular."""
    for series, index in zip(rows.series, rows.by_series(), strict=True):
        if len(index) > 2 and "epoch" in words(series.tag) and series.metric != "epoch":
            gaps = np.diff(rows.step[index])
            usual = float(np.median(gaps))
            if usual > 1 and np.mean(gaps == usual) >= 0.8:
                return usual
    return None


def _nearest_whole(value: float) -> float:
    """The whole number of steps that the rounding of logged epochs hides (within 2 %), else the value itself."""
    whole = round(value)
    return float(whole) if whole >= 1 and abs(value - whole) <= 0.02 * value else value


def _filled(x: Floats) -> Floats:
    """Rows without a place take that of the row written before them (the first ones that of the first placed row)."""
    placed = np.isfinite(x)
    if placed.all() or not placed.any():
        return x
    last = np.maximum.accumulate(np.where(placed, np.arange(len(x)), -1))
    return x[np.where(last < 0, int(np.argmax(placed)), last)]


def _row_numbers(rows: Rows) -> Floats:
    """1, 2, 3 … inside each series."""
    x = np.empty(len(rows))
    for index in rows.by_series():
        x[index] = np.arange(1, len(index) + 1)
    return x
