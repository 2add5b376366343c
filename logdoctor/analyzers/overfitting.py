from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from logdoctor.analyzers.contract import limit
from logdoctor.analyzers.wording import doubts, percent, sentence
from logdoctor.case import Case
from logdoctor.curves.smoothing import without_spikes
from logdoctor.curves.trend import moving_mean
from logdoctor.curves.valley import SMOOTHED_SHARE, lowest
from logdoctor.finding import Evidence, Finding, Severity
from logdoctor.tracks import Track

LATER = 0.1  # of the run: a metric that was best this much after the loss goes its own way
CLIMB_SIGMAS = 3.0  # standard errors of its smoothed level by which it must have climbed meanwhile


@dataclass(frozen=True)
class Overfitting:
    """The validation loss rose from its best epoch on while the training loss did not.

    What it says
        Where the validation loss was best, and how far it has risen since.

    Why it matters
        The last checkpoint is worse than the best one, and the epochs after it were wasted.

    How it decides
        The bottom of the smoothed validation loss is compared with the mean of its last 10 %. The rise must be large
        (a share of the plotted height, or of the value) and significant (in σ of the scatter, or by the slope from the
        bottom on), and the bottom must not lie at the very end.

    Limits
        rise_height: rise as a share of the plotted height (highest minus lowest level of both losses).
        rise_value, rise_value_height: or as a share of the best value, together with a share of the height.
        noise_sigmas, slope_t: significance; one of the two is enough.
        both_sigmas: a large rise that both tests find likely is told as tentative.
        last_share: a bottom in this last share of the run is not judged.
        severe_height, severe_value: from here on it is an error.

    What fools it
        Epoch-wise double descent (the loss falls again later), a small validation set, a drop of the rate to come. A
        rising validation loss with rising accuracy means over-confidence rather than more errors: both are told then.

    Reference
        Prechelt 1998, "Early stopping: but when?" (generalisation loss); Nakkiran et al. 2019 (arXiv:1912.02292).
    """

    name: ClassVar[str] = "overfitting"

    rise_height: float = limit(0.03, "share of the plotted height", "what the eye calls a rise")
    rise_value: float = limit(
        0.05, "share of the best value", "SageMaker's and runmedic's limit, but with significance"
    )
    rise_value_height: float = limit(0.01, "share of the plotted height", "5 % of a tiny loss is not worth a word")
    noise_sigmas: float = limit(4.0, "σ", "one false alarm in thousands of curves of white noise")
    slope_t: float = limit(5.0, "standard errors", "a slow rise hidden in scatter; autocorrelation allowed for")
    both_sigmas: float = limit(2.0, "σ and standard errors", "where both tests reach it: tentative")
    last_share: float = limit(0.08, "share of the run", "a bottom this late has no history after it")
    severe_height: float = limit(0.20, "share of the plotted height", "a fifth of all progress lost again")
    severe_value: float = limit(0.50, "share of the best value", "half as bad again")

    def analyze(self, case: Case) -> Finding | None:
        case.needs_train()
        val = case.needs_val(4)
        if case.departure.diverged or case.total_drop <= 0:
            return None
        valley = case.valley
        best = float(val.x[valley.index])
        by_height, by_value = valley.rise / plot_height(case), valley.rise / max(abs(valley.level), 1e-12)
        large = by_height >= self.rise_height or (by_value >= self.rise_value and by_height >= self.rise_value_height)
        significant = valley.z >= self.noise_sigmas or valley.t >= self.slope_t
        likely = min(valley.z, valley.t) >= self.both_sigmas
        if not large or not (significant or likely) or best > (1 - self.last_share) * float(val.x[-1]):
            return None
        severe = by_height >= self.severe_height or (by_value >= self.severe_value and by_height >= 0.05)
        severity = Severity.ERROR if severe else Severity.WARNING
        return self._finding(case, severity, by_height, by_value, significant)

    def _finding(self, case: Case, severity: Severity, by_height: float, by_value: float, significant: bool) -> Finding:
        train, val, valley = case.needs_train(), case.needs_val(), case.valley
        best = float(val.x[valley.index])
        then, now = float(np.interp(best, train.x, case.trend)), case.stretches[-1].level
        climb = _metric_climb(case, best)
        clauses = doubts(case) + ([] if significant else ["the rise is not far above the scatter"])
        return Finding(
            self.name,
            severity,
            f"{val.name} was best at {case.place(best)} and has worsened since by {percent(by_value)}, from a level of "
            f"{val.shown(valley.level)} to {val.shown(valley.end)}, while the {train.name} went "
            f"from {train.shown(then)} to {train.shown(now)}{climb.words(case) if climb else ''}",
            climb.advice(case, best) if climb else _advice(case, best),
            case.span(best, case.length),
            _once([val.curve.at(best), val.curve.at(case.length), *(climb.lines(best) if climb else [])]),
            not clauses,
            {"best_epoch": best, "best_value": val.sign * valley.level, "end_value": val.sign * valley.end,
             "rise_of_height": by_height, "rise_of_value": by_value, "sigmas": valley.z, "slope_t": valley.t,
             "metric_best_epoch": climb.at if climb else None},
            sentence(clauses) or f"A {val.name} better than {val.shown(valley.level)} later on (double descent).",
        )  # fmt: skip


def _once(places: list[Evidence]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(places))


def _advice(case: Case, best: float) -> str:
    return (
        f"The model fits the training data only. Keep the checkpoint of {case.place(best)} and stop there (early "
        f"stopping would have spared {case.lasting(case.length - best)}); to go further: more data, augmentation, "
        "dropout or weight decay."
    )


@dataclass(frozen=True)
class _Climb:
    """A metric that went on improving after the validation loss was best: its level then, and where it was best."""

    metric: Track
    then: float
    at: float
    level: float

    def words(self, case: Case) -> str:
        metric = self.metric
        return (
            f"; the {metric.name} still climbed, from {metric.shown(self.then)} to {metric.shown(self.level)} at "
            f"{case.place(self.at)}"
        )

    def advice(self, case: Case, best: float) -> str:
        return (
            f"The loss rises because wrong answers grow over-confident, not more frequent. If the {self.metric.name} "
            f"counts, keep the checkpoint of {case.place(self.at)} and mend the probabilities: label smoothing, or "
            f"temperature scaling afterwards (Guo et al. 2017, arXiv:1706.04599). If the loss counts, keep that of "
            f"{case.place(best)}; to go further: more data, augmentation, dropout or weight decay."
        )

    def lines(self, best: float) -> list[Evidence]:
        return [self.metric.curve.at(best), self.metric.curve.at(self.at)]


def _metric_climb(case: Case, best: float) -> _Climb | None:
    """How the main metric (accuracy, mAP) climbed on, by more than its scatter and for a tenth of the run or more."""
    metric = case.val_metric
    if metric is None or len(metric) < 4:
        return None
    index, level = lowest(metric.y)
    at = float(metric.x[index])
    then = float(np.interp(best, metric.x, moving_mean(without_spikes(metric.y), SMOOTHED_SHARE)))
    error = metric.noise / max(1.0, SMOOTHED_SHARE * len(metric)) ** 0.5
    climbed = at >= best + LATER * case.length and then - level > CLIMB_SIGMAS * error
    return _Climb(metric, then, at, level) if climbed else None


def plot_height(case: Case) -> float:
    """Height of the plot: from the higher first level to the lowest level of train and validation loss.

    Where the two are not the same metric, of the validation curve alone.
    """
    train, val = case.needs_train(), case.needs_val()
    top, bottom = float(val.y[0]), case.valley.level
    if train.curve.metric == val.curve.metric:
        top, bottom = max(top, train.first), min(bottom, case.stretches[-1].level)
    return max(top - bottom, 1e-12)
