"""Everything the analyzers look at for one run, computed once and shared."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from logdoctor.curves.flatness import FLAT
from logdoctor.curves.trend import falling_trend
from logdoctor.curves.valley import Valley, find_valley
from logdoctor.departure import Departure, find_departure
from logdoctor.endstate import EndState, judge_end
from logdoctor.finding import CannotJudgeError, Evidence, Span
from logdoctor.run import Curve, Floats, Run
from logdoctor.schedule import recognise
from logdoctor.schedule_inferred import infer_drops, inferred_schedule
from logdoctor.segments import Drop, Schedule
from logdoctor.stretches import Stretch, judge_drops, judge_stretches, since_last_spike
from logdoctor.tracks import Track, track
from logdoctor_parsers.names import direction

MIN_FLAT_EPOCHS = 2.0
LATE_EPOCHS = 5.0
FEW_EPOCHS = 10.0
LATE_BEGIN = 0.1  # of the run
SMOOTH = ("cosine", "one-cycle", "linear", "poly", "cosine-restarts", "exponential", "inverse-time", "sigmoid")
ANNEALED = 0.05  # of the peak rate
ADAPTIVE = ("adam", "rmsprop", "adagrad", "adadelta", "lamb", "lion", "adafactor", "ftrl")


@dataclass(frozen=True)
class Case:
    """A run and what is derived from it for judging. `Case.of` also fills in the verdicts on the drops."""

    run: Run
    schedule: Schedule
    now: float = float("nan")

    @classmethod
    def of(cls, run: Run, now: float = float("nan"), schedule: Schedule | None = None) -> Case:
        """The case of a run; every drop gets `flat_since`, `gain` and `timing` from the train loss.

        `schedule` defaults to what the logged learning rate shows; where none is logged, to what the losses do.
        """
        if schedule is None:
            schedule = recognise(run.lr, run.axis, run.end, run.facts)
        bare = cls(run, schedule, now)
        if schedule.origin == "unknown":
            schedule = bare._inferred()
            bare = cls(run, schedule, now)
        late_after = LATE_EPOCHS * bare.epoch_or_bin
        drops = judge_drops(schedule.drops, bare.stretches, bare.total_drop, late_after)
        return cls(run, replace(schedule, drops=drops), now)

    def _inferred(self) -> Schedule:
        """The schedule with drops inferred from the losses; the bins stand for epochs where these are unknown."""
        train, val = self.train, self.val
        if train is None or self.departure.diverged:
            return self.schedule
        unit = self.epoch_or_bin
        losses = [(track.x / unit, track.y) for track in (train, val) if track is not None]
        drops = [_scaled(drop, unit) for drop in infer_drops(losses[0], losses[1] if len(losses) > 1 else None)]
        return inferred_schedule(drops, self.length) if drops else self.schedule

    @cached_property
    def train(self) -> Track | None:
        """The train loss in bins; None without a finite value."""
        return track(self.run.train, "train", self.run.axis, self._val_cadence)

    @cached_property
    def val(self) -> Track | None:
        """The validation loss (without one, the main validation metric) in bins; None without a finite value."""
        return track(self.run.val, "validation", self.run.axis, self._val_cadence)

    @cached_property
    def val_metric(self) -> Track | None:
        """The main validation metric beside the loss; None where there is none, or it is what is judged anyhow."""
        metric = self.run.val_metric
        return None if metric is self.run.val else track(metric, "validation", self.run.axis, self._val_cadence)

    @property
    def _val_cadence(self) -> float | None:
        val = self.run.val
        return float(np.median(np.diff(val.x))) if val is not None and len(val) > 2 else None

    def needs_train(self, points: int = 3) -> Track:
        """The train loss. Errors: CannotJudgeError without one, or with fewer than `points` bins."""
        return _enough(self.train, "training", points)

    def needs_val(self, points: int = 3) -> Track:
        """The validation loss. Errors: CannotJudgeError without one, or with fewer than `points` bins."""
        return _enough(self.val, "validation", points)

    def needs_same_loss(self) -> tuple[Track, Track]:
        """Train and validation loss, if they are one metric. Errors: CannotJudgeError."""
        train, val = self.needs_train(), self.needs_val()
        if train.curve.metric != val.curve.metric or not train.is_loss:
            raise CannotJudgeError(f"{train.name} and {val.name} cannot be compared")
        return train, val

    @cached_property
    def losses(self) -> tuple[Curve, ...]:
        """The loss curves of the run, those judged by first; metrics where higher is better are none."""
        judged = (curve for curve in (self.run.train, self.run.val) if curve is not None and len(curve))
        chosen = tuple(curve for curve in judged if direction(curve.metric) <= 0)
        others = (curve for curve in self.run.curves if curve.metric == "loss" and len(curve))
        return chosen + tuple(curve for curve in others if not any(curve is other for other in chosen))

    @property
    def unit(self) -> str:
        return self.run.axis.unit

    @property
    def epochs_known(self) -> bool:
        return self.unit == "epoch" or self.run.axis.steps_per_epoch is not None

    def epochs(self, number: float) -> float:
        """A number of epochs in axis units; 0 where epochs are unknown (limits then rest on shares of the run)."""
        return number if self.unit == "epoch" else number * (self.run.axis.steps_per_epoch or 0.0)

    @property
    def epoch_or_bin(self) -> float:
        """Axis units of an epoch; of a bin of the train loss, which stands for one, where epochs are unknown."""
        return self.epochs(1.0) or (0.0 if self.train is None else self.train.width)

    @cached_property
    def length(self) -> float:
        """Axis units from the start to the last point (NaN without any curve)."""
        return self.run.end

    @cached_property
    def short(self) -> bool:
        """Fewer than about ten epochs (bins, where epochs are unknown): verdicts are tentative."""
        if self.epochs_known:
            return self.length < self.epochs(FEW_EPOCHS)
        return self.train is None or len(self.train) < FEW_EPOCHS

    @property
    def begins_late(self) -> bool:
        """Whether the first part of the run is not in the log: what was learned before is then unknown."""
        return self.train is not None and self.train.x[0] - self.train.width > LATE_BEGIN * self.length

    @property
    def adaptive(self) -> bool:
        """Whether the optimizer scales its own steps (Adam and its kin): schedules matter less then."""
        return any(word in str(self.run.fact("optimizer", "")).lower() for word in ADAPTIVE)

    @cached_property
    def departure(self) -> Departure:
        """Whether and where the losses became non-finite or left their level for good."""
        return find_departure(self.losses, self.run.val)

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """Every learning-rate segment that holds bins of the train loss, in order; empty without a train loss."""
        if self.train is None:
            return ()
        return judge_stretches(self.train, self.schedule.segments, MIN_FLAT_EPOCHS * self.epoch_or_bin, self.val)

    @cached_property
    def total_drop(self) -> float:
        """V: first bin of the train loss minus the level at the end (may be ≤ 0); NaN without a train loss."""
        if self.train is None:
            return float("nan")
        return self.train.first - self.stretches[-1].level

    @cached_property
    def initial(self) -> float:
        """The train loss before training: the first logged value, or an estimate from the first two epoch means.

        An epoch's mean holds the whole fall within it; a falling convex curve starts at least 1.5 times the fall
        between the first two means above the first.
        """
        train = self.needs_train(2)
        first = float(train.curve.value[train.curve.finite][0])
        return max(first, float(train.y[0] + 1.5 * max(0.0, train.y[0] - train.y[1])))

    @cached_property
    def trend(self) -> Floats:
        """The level of the train loss at each of its bins, shape (n,): the trends of all segments."""
        return np.concatenate([stretch.flatness.trend for stretch in self.stretches])

    @cached_property
    def end(self) -> EndState:
        """Whether the train loss was still falling at the end. Errors: CannotJudgeError with too few points."""
        train = self.needs_train()
        last = since_last_spike(self.stretches[-1])
        if self.schedule.origin == "unknown":
            trend = falling_trend(last.x, last.y, np.ones_like(last.x), last.sigma, np.inf)
            last = replace(last, flatness=replace(last.flatness, trend=trend))
        return judge_end(
            last,
            length=self.length,
            width=train.width,
            total=self.total_drop,
            after_drop=len(self.stretches) > 1 and self.schedule.origin == "logged",
            val=self.val,
        )

    @property
    def annealed(self) -> bool:
        """Whether a smooth schedule had brought the rate to under 5 % of its peak at the end."""
        lr = self.run.lr
        if self.schedule.kind not in SMOOTH or lr is None or not lr.finite.any():
            return False
        rates = lr.value[lr.finite]
        return bool(rates[-1] < ANNEALED * rates.max())

    @cached_property
    def valley(self) -> Valley:
        """The bottom of the validation loss and the rise after it. Errors: CannotJudgeError with too few points."""
        val = self.needs_val()
        return find_valley(val.x, val.y)

    @cached_property
    def best(self) -> tuple[float, float] | None:
        """Where the smoothed validation loss (or metric) is best, and its level there; None without one."""
        if self.val is None or len(self.val) < 3:
            return None
        return float(self.val.x[self.valley.index]), self.val.sign * self.valley.level

    @cached_property
    def flat_spans(self) -> tuple[tuple[float, float], ...]:
        """Stretches of the axis in which the train loss was flat."""
        flat = (stretch for stretch in self.stretches if stretch.flatness.answer == FLAT)
        found = ((stretch.flatness.since, stretch.segment.end) for stretch in flat)
        return tuple((since, end) for since, end in found if since is not None and end > since)

    def span(self, start: float, end: float) -> Span:
        return Span(float(start), float(end), self.unit)

    def place(self, x: float) -> str:
        """A position in words: `epoch 13`, `step 1560`."""
        return f"{'row' if self.unit == 'index' else self.unit} {amount(x)}"

    def lasting(self, length: float) -> str:
        """A length in words: `37 epochs`, `1 step`."""
        words = self.run.axis.words
        return f"{amount(length)} {words[:-1] if amount(length) == '1' else words}"

    def lines(self, *positions: float) -> tuple[Evidence, ...]:
        """Where the train loss nearest to each position stands, each place once."""
        curve = self.run.train
        return () if curve is None or not len(curve) else tuple(dict.fromkeys(curve.at(x) for x in positions))


def _scaled(drop: Drop, unit: float) -> Drop:
    """A drop placed in epochs, placed in axis units of which `unit` make an epoch."""
    places = {name: getattr(drop, name) * unit for name in ("at", "since_last", "low", "high")}
    return replace(drop, **places)


def _enough(found: Track | None, which: str, points: int) -> Track:
    if found is None:
        raise CannotJudgeError(f"no {which} loss in the log")
    if len(found) < points:
        raise CannotJudgeError(f"only {len(found)} of the {points} points of the {which} loss that are needed")
    return found


def amount(x: float) -> str:
    """A number as a reader wants it: no decimals on whole numbers and large ones."""
    if not math.isfinite(x):
        return f"{x:g}"
    return f"{x:,.0f}" if abs(x - round(x)) < 0.05 or abs(x) >= 100 else f"{x:.1f}"
