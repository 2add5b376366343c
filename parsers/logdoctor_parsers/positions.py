"""Which keys of a table say where a row stands: optimizer step, epoch, batch in the epoch, time and role."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.contract import Floats
from logdoctor_parsers.names import SPLITS, Name, canonical, words

# Normalised names (words joined by `_`), the more telling first. `total…`, `kimg`, samples and environment steps
# are no optimizer updates and stay ordinary columns.
EPOCH = (
    "epoch", "epochs", "ep", "epoch_num", "epoch_number", "epoch_no", "epoch_id", "epoch_idx", "epoch_index", "n_epoch",
    "current_epoch", "cur_epoch", "trainer_epoch", "train_epoch", "training_epoch",
)  # fmt: skip
STEP = (
    "trainer_global_step", "train_global_step", "global_step", "globalstep", "iteration", "iterations", "iter", "iters",
    "step", "steps", "num_updates", "num_update", "updates", "update", "current_steps", "current_step", "train_step",
    "training_step", "train_steps", "training_steps", "train_iter", "optimizer_step", "num_steps", "num_iters",
    "num_iter", "niter", "n_iter", "it", "itr", "current_iter", "cur_iter", "iter_num", "step_num", "global_iter",
    "training_iteration", "total_timesteps", "time_total_timesteps", "timesteps_total", "total_env_interacts",
)  # fmt: skip
UPDATES_BY_SPLIT = ("train_num_updates", "valid_num_updates", "test_num_updates")  # fairseq: each row its own
BATCH = ("batch", "batch_idx", "batch_id", "batch_index", "batch_num", "batch_no", "minibatch", "mini_batch")
BATCHES = ("batches", "num_batches", "n_batches", "total_batches", "batches_per_epoch", "steps_per_epoch")
TIME = ("timestamp", "wall_time", "walltime", "datetime", "date_time", "created_at", "date", "time", "unix_time", "ts")
ROLE = ("mode", "phase", "split", "stage", "subset", "set", "type", "kind", "event", "section", "name")
UNNAMED = ("", "unnamed_0", "index")
_PLAUSIBLE = (946_684_800.0, 4_102_444_800.0)  # years 2000 to 2100: what can be a POSIX time


class Rows(Protocol):
    """What `locate` needs to know of `Records`."""

    @property
    def lines(self) -> Sequence[int]: ...

    @property
    def texts(self) -> Mapping[str, Mapping[int, str]]: ...

    @property
    def keys(self) -> list[str]: ...

    def dense(self, key: str) -> Floats: ...


@dataclass(frozen=True)
class Positions:
    """Where each row stands, shape (rows,) each; NaN (`role`: empty) where it does not say. `used`: keys consumed."""

    step: Floats
    epoch: Floats
    batch: Floats
    batches: Floats
    wall_time: Floats
    role: npt.NDArray[np.str_]
    used: frozenset[str]


def locate(rows: Rows) -> Positions:
    """Read the positions out of the keys."""
    keys = {"_".join(words(key)): key for key in reversed(rows.keys)}
    epoch_key, step_key, batch_key, batches_key = (_first(keys, names) for names in (EPOCH, STEP, BATCH, BATCHES))
    unnamed = _first(keys, UNNAMED)
    if epoch_key is None and step_key is None and unnamed is not None and _once_an_epoch(rows):
        epoch_key = unnamed
    role, role_key = _roles(rows)
    wall_time, time_key = _times(rows, keys)
    epoch, step, batch = (_dense(rows, key) for key in (epoch_key, step_key, batch_key))
    by_split = [] if step_key else [keys[name] for name in UPDATES_BY_SPLIT if name in keys]
    for key in by_split:
        step = np.where(np.isfinite(step), step, rows.dense(key))
    other_step = keys.get("step") if step_key is not None and step_key == keys.get("iter") else None
    if other_step is not None:
        step, epoch, role = _by_step_or_epoch(rows.dense(other_step), epoch, role, step)
    elif batch_key is None and _restarts_each_epoch(step[role != "val"], epoch[role != "val"]):
        step, batch = np.full(len(step), np.nan), np.where(role == "val", np.nan, step)
    elif epoch_key and role_key:
        step = _evaluations_at_last_step(step, role)
    used = {epoch_key, step_key, batch_key, batches_key, unnamed, role_key, time_key, other_step, *by_split}
    consumed = frozenset(key for key in used if key is not None)
    return Positions(step, epoch, batch, _dense(rows, batches_key), wall_time, role, consumed)


def _first(keys: Mapping[str, str], names: Iterable[str]) -> str | None:
    return next((keys[name] for name in names if name in keys), None)


def _dense(rows: Rows, key: str | None) -> Floats:
    return np.broadcast_to(np.nan, len(rows.lines)) if key is None else rows.dense(key)


def _once_an_epoch(rows: Rows) -> bool:
    """Whether every row has a validation loss: a table written by pandas, whose row index then counts epochs."""
    held_out = [key for key in rows.keys if canonical(key) == Name("loss", "val")]
    return any(not np.isnan(rows.dense(key)).any() for key in held_out)


def _roles(rows: Rows) -> tuple[npt.NDArray[np.str_], str | None]:
    """Each row's own role, from a key such as `mode` whose texts are all words for splits."""
    role = np.full(len(rows.lines), "", dtype="U5")
    by_name = {"_".join(words(key)): key for key in rows.texts}
    for name in ROLE:
        texts = rows.texts.get(by_name[name], {}) if name in by_name else {}
        known = {text: SPLITS.get(text.strip().lower(), "") for text in set(texts.values())}
        if texts and all(known.values()):
            role[list(texts)] = [known[text] for text in texts.values()]
            return role, by_name[name]
    return role, None


def _restarts_each_epoch(step: Floats, epoch: Floats) -> bool:
    """Whether the counter falls back with (most) new epochs, or never moves: then it counts batches, not updates."""
    known = np.isfinite(step) & np.isfinite(epoch)
    step, epoch = step[known], np.floor(epoch[known])
    new = np.diff(epoch) > 0
    moved = np.diff(step)[new]
    return bool(new.any()) and bool(np.mean(moved < 0) > 0.5 or np.all(np.diff(step) == 0))


def _evaluations_at_last_step(step: Floats, role: npt.NDArray[np.str_]) -> Floats:
    """A validation row may count validation batches: the update it belongs to is the last one trained."""
    trained = np.where(role == "val", np.nan, step)
    last = np.fmax.accumulate(trained) if len(trained) else trained
    return np.where((role == "val") & (last > step), last, step)


def _by_step_or_epoch(
    step: Floats, epoch: Floats, role: npt.NDArray[np.str_], inner: Floats
) -> tuple[Floats, Floats, npt.NDArray[np.str_]]:
    """MMEngine's scalars: `step` counts iterations in training rows (with `iter`), epochs in evaluation rows."""
    step, epoch, role = step.copy(), epoch.copy(), role.copy()
    trained = last_step = np.nan
    for row in range(len(step)):
        if np.isfinite(inner[row]):
            trained, last_step = epoch[row], step[row]
        elif np.isfinite(step[row]):
            role[row] = role[row] or "val"
            if step[row] != last_step and np.isnan(epoch[row]) and not abs(step[row] - trained) > 1:
                epoch[row], step[row] = step[row], np.nan
    return step, epoch, role


def _times(rows: Rows, keys: Mapping[str, str]) -> tuple[Floats, str | None]:
    """POSIX seconds of each row, from numbers (s or ms) or ISO-like texts; times without zone are taken as UTC."""
    for name in TIME:
        if name in keys:
            values = rows.dense(keys[name])
            for scale in (1.0, 1e-3):
                finite = values[np.isfinite(values)] * scale
                if len(finite) and np.all((finite > _PLAUSIBLE[0]) & (finite < _PLAUSIBLE[1])):
                    return values * scale, keys[name]
    texts_by_name = {"_".join(words(key)): key for key in rows.texts}
    for name in TIME:
        texts = rows.texts.get(texts_by_name.get(name, ""), {})
        parsed = {row: _posix(text) for row, text in texts.items()}
        if any(np.isfinite(value) for value in parsed.values()):
            values = np.full(len(rows.lines), np.nan)
            values[list(parsed)] = list(parsed.values())
            return values, texts_by_name[name]
    return _dense(rows, None), None


def _posix(text: str) -> float:
    readers: tuple[Callable[[str], datetime], ...] = (
        datetime.fromisoformat,
        lambda value: datetime.strptime(value, "%Y/%m/%d %H:%M:%S"),
        lambda value: datetime.strptime(value, "%d/%m/%Y %H:%M:%S"),
    )
    for read in readers:
        try:
            moment = read(text.strip())
        except ValueError:
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float("nan")
