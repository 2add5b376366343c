from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from logdoctor.analyzers.contract import limit
from logdoctor.analyzers.wording import doubts, sentence
from logdoctor.case import Case
from logdoctor.curves.spikes import MIN_SHARE, MIN_SIGMAS, Spike, find_spikes
from logdoctor.finding import Finding, Severity
from logdoctor.run import Floats
from logdoctor.tracks import Track


@dataclass(frozen=True)
class LossSpike:
    """The training loss jumped up within an epoch or a few steps.

    What it says
        Where, how high, and whether and when the loss was back.

    Why it matters
        A spike is a bad batch, a too large step or a faulty resume; one that is not undone costs the run.

    How it decides
        A value above the median of the five before it by many σ of the past, by a share of the drop so far, and by
        twice the largest rise before it. Epoch means are looked at first, then single logged values with a larger
        share. A rise within an epoch and a half after a change of the learning rate is momentum or a restart, no spike.

    Limits
        min_sigmas: height over the level before, in σ of the past.
        min_share: height of a jump of the epoch mean as a share of the drop so far.
        min_share_value: the same for a single logged value.
        recovery_epochs: back within so many epochs counts as recovered.
        max_share_of_points: more spikes than this (and than three) are oscillation, not spikes.

    What fools it
        Unshuffled data (a hard part at the same place of every epoch), logs that pass over the spike.

    Reference
        PaLM (arXiv:2204.02311), section 5.1: restart about 100 steps earlier and skip 200 to 500 batches.
    """

    name: ClassVar[str] = "loss-spike"

    min_sigmas: float = limit(MIN_SIGMAS, "σ", "z-scores of 3 to 6 report drops and heavy tails as spikes")
    min_share: float = limit(MIN_SHARE, "share of the drop so far", "smaller bumps of an epoch mean cost nothing")
    min_share_value: float = limit(1.0, "share of the drop so far", "a single batch can be hard without harm")
    recovery_epochs: float = limit(5.0, "epochs", "later than that it has cost a noticeable part of the run")
    max_share_of_points: float = limit(0.03, "share of the points", "spikes are rare by definition")

    def analyze(self, case: Case) -> Finding | None:
        train = case.needs_train(8)
        found = self._in_bins(case, train) or self._in_values(case, train)
        if not found:
            return None
        spikes, x = found
        worst = max(spikes, key=lambda spike: spike.peak - spike.before)
        return self._finding(case, train, spikes, worst, x)

    def _in_bins(self, case: Case, train: Track) -> tuple[list[Spike], Floats] | None:
        return self._real(case, train.x, train.y, self.min_share, len(train))

    def _in_values(self, case: Case, train: Track) -> tuple[list[Spike], Floats] | None:
        """Single logged values, where several make an epoch and they are not running means."""
        curve = train.curve
        x, y = curve.x[curve.finite], train.sign * curve.value[curve.finite]
        if train.running or len(y) < 1.5 * len(train):
            return None
        return self._real(case, x, y, self.min_share_value, len(y))

    def _real(self, case: Case, x: Floats, y: Floats, share: float, n: int) -> tuple[list[Spike], Floats] | None:
        spikes = [s for s in find_spikes(y, self.min_sigmas, share) if not _after_change(case, float(x[s.index]))]
        rare = len(spikes) <= max(3, self.max_share_of_points * n)
        return (spikes, x) if spikes and rare else None

    def _finding(self, case: Case, train: Track, spikes: list[Spike], worst: Spike, x: Floats) -> Finding:
        at = float(x[worst.index])
        back = float(x[worst.back]) if worst.back is not None else None
        soon = max(case.epochs(self.recovery_epochs), 0.05 * case.length)
        lost = [s for s in spikes if s.back is None or x[s.back] - x[s.index] > soon]
        late = case.length - at <= soon and back is None
        course = f"back at {case.place(back)}" if back is not None else "not back by the end"
        more = f"; {len(spikes)} spikes in all" if len(spikes) > 1 else ""
        clauses = doubts(case) + (["the log ends too soon after it to tell whether it recovers"] if late else [])
        return Finding(
            self.name,
            Severity.ERROR if lost and not late else Severity.WARNING,
            f"{train.name} jumped from {train.shown(worst.before)} to {train.shown(worst.peak)} at {case.place(at)} "
            f"({worst.sigmas:.0f} σ), {course}{more}",
            _advice(case, at, bool(lost)),
            case.span(at, back if back is not None else case.length),
            case.lines(at),
            not clauses,
            {"at": at, "before": worst.before, "peak": worst.peak, "sigmas": worst.sigmas, "back": back,
             "spikes": float(len(spikes))},
            sentence(clauses),
        )  # fmt: skip


def _after_change(case: Case, x: float) -> bool:
    """Whether the learning rate changed within an epoch and a half (bins, where epochs are unknown) before x."""
    reach = 1.5 * max(case.epochs(1.0), case.needs_train().width)
    if any(0 <= x - drop.at < reach for drop in case.schedule.drops):
        return True
    lr = case.run.lr
    if lr is None or not lr.finite.any():
        return False
    near = lr.value[lr.finite & (lr.x > x - 2 * reach) & (lr.x <= x)]
    return bool(len(near) > 1 and np.max(near[1:] / np.maximum(near[:-1], 1e-30)) > 1.5)


def _advice(case: Case, at: float, lost: bool) -> str:
    cause = f"A bad batch or, if the run was resumed near {case.place(at)}, a lost optimizer state makes such a jump."
    if lost:
        return f"{cause} Restart from the checkpoint before it, skip those batches, and clip gradients at norm 1."
    return f"{cause} It recovered; gradients clipped at norm 1 make such spikes harmless."
