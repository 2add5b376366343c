from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from logdoctor.analyzers.contract import limit
from logdoctor.analyzers.wording import doubts, percent, sentence
from logdoctor.case import Case
from logdoctor.curves.noise import noise
from logdoctor.finding import CannotJudgeError, Finding, Severity
from logdoctor.tracks import Track


@dataclass(frozen=True)
class Oscillation:
    """Training and validation loss swing from epoch to epoch.

    What it says
        How large the swings of the second half are, against all that the run has gained.

    Why it matters
        The rate is too large to settle: which epoch's checkpoint is good is a matter of luck.

    How it decides
        σ of the scatter between epochs in the second half, as a share of the total drop, of the training loss and of
        the validation loss. Both must be large: the first alone is the noise of the batches that were logged, the
        second alone a small validation set or batch normalisation.

    Limits
        min_share: σ of either loss as a share of the total drop.
        min_share_level: σ of the validation loss as a share of the loss.

    What fools it
        Cyclic rates and warm restarts swing on purpose (not judged). Runs that learned next to nothing.

    Reference
        Google's Deep Learning Tuning Playbook: high variance between steps late in training → decay the rate.
    """

    name: ClassVar[str] = "oscillation"

    min_share: float = limit(0.1, "share of the total drop", "twice what a fixed small model shows between epochs")
    min_share_level: float = limit(0.01, "share of the loss", "a loss that never moved swings within nothing")

    def analyze(self, case: Case) -> Finding | None:
        train, val = case.needs_train(10), case.needs_val(10)
        if case.departure.diverged:
            return None
        if case.schedule.kind in ("cyclic", "cosine-restarts"):
            raise CannotJudgeError(f"the {case.schedule.kind} schedule makes the loss swing on purpose")
        scale = abs(case.total_drop)
        swings = [_second_half(track) / scale if scale > 0 else 0.0 for track in (train, val)]
        still = _second_half(val) < self.min_share_level * abs(float(np.median(val.y)))
        if min(swings) < self.min_share or still:
            return None
        half = case.length / 2
        clauses = doubts(case, borderline=min(swings) < 1.5 * self.min_share)
        return Finding(
            self.name,
            Severity.WARNING,
            f"both curves swing between epochs: σ is {percent(swings[0])} (train) and {percent(swings[1])} "
            "(validation) of the total drop in the second half",
            "The learning rate is too large to settle. Divide it by 3 to 10, or decay it over the second half; larger "
            "batches or averaged weights (EMA, SWA) help as well. Judge by several epochs, not by the last one.",
            case.span(half, case.length),
            case.lines(half, case.length),
            not clauses,
            {"train_swing": swings[0], "val_swing": swings[1]},
            sentence(clauses) or "A run at a third of the rate that swings as much.",
        )


def _second_half(track: Track) -> float:
    return noise(track.y[len(track) // 2 :])
