from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from logdoctor.analyzers.contract import limit
from logdoctor.analyzers.overfitting import plot_height
from logdoctor.analyzers.wording import doubts, percent, sentence
from logdoctor.case import Case
from logdoctor.curves.noise import noise
from logdoctor.curves.smoothing import without_spikes
from logdoctor.curves.trend import moving_mean
from logdoctor.finding import Finding, Severity
from logdoctor.run import Floats


@dataclass(frozen=True)
class DoubleDescent:
    """The validation loss fell, rose, and fell below its first minimum again.

    What it says
        Where the first minimum, the bump and the second minimum are.

    Why it matters
        Early stopping at the first minimum would have been wrong here, and so is a verdict of overfitting.

    How it decides
        The largest bump of the smoothed validation loss must be significant against its scatter and visible in the
        plot, and the loss must end below the first minimum.

    Limits
        min_bump: height of the bump as a share of the plotted height.
        noise_sigmas: the same in σ of the validation loss.

    What fools it
        A spike of some epochs that recovers; a drop of the learning rate that ends an unstable stretch.

    Reference
        Nakkiran et al. 2019 (arXiv:1912.02292), epoch-wise double descent.
    """

    name: ClassVar[str] = "double-descent"

    min_bump: float = limit(0.03, "share of the plotted height", "what the eye calls a bump")
    noise_sigmas: float = limit(6.0, "σ", "the best of many places to look for a bump")

    def analyze(self, case: Case) -> Finding | None:
        case.needs_train()
        val = case.needs_val(20)
        if case.departure.diverged:
            return None
        y = moving_mean(without_spikes(val.y), 0.1)
        first, top, second = largest_bump(y)
        bump = float(y[top] - max(y[first], y[second]))
        if bump < max(self.min_bump * plot_height(case), self.noise_sigmas * noise(val.y)) or y[second] >= y[first]:
            return None
        clauses = doubts(case)
        places = [float(val.x[index]) for index in (first, top, second)]
        return Finding(
            self.name,
            Severity.INFO,
            f"{val.name} improved until {case.place(places[0])} ({val.shown(y[first])}), worsened until "
            f"{case.place(places[1])} ({val.shown(y[top])}) and improved beyond that by {case.place(places[2])} "
            f"({val.shown(y[second])}): double descent",
            "Early stopping with a short patience would have stopped too soon. Keep the last checkpoint, and give "
            f"early stopping a patience of at least {case.lasting(places[2] - places[0])}.",
            case.span(places[0], places[2]),
            tuple(dict.fromkeys(val.curve.at(x) for x in places)),
            not clauses,
            {"first_minimum": places[0], "top": places[1], "second_minimum": places[2], "bump": bump},
            sentence(clauses) or f"A second seed without the bump of {percent(bump / plot_height(case))} of the plot.",
        )


def largest_bump(y: Floats) -> tuple[int, int, int]:
    """Indices of the minimum before, the top and the minimum after the largest bump of a curve (n,)."""
    past = np.minimum.accumulate(y)
    future = np.minimum.accumulate(y[::-1])[::-1]
    top = int(np.argmax(np.minimum(y - past, y - future)))
    return int(np.argmin(y[: top + 1])), top, top + int(np.argmin(y[top:]))
