from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from logdoctor.case import Case
from logdoctor.finding import CannotJudgeError, Finding, Severity


@dataclass(frozen=True)
class NonFiniteLoss:
    """A loss became NaN or infinite.

    What it says
        The first place where a loss was not a finite number, and whether it came back.

    Why it matters
        Once a weight is NaN all are after the next update; the rest of the run is lost.

    How it decides
        Every curve whose metric is a loss is looked at; side columns (accuracy, gradient norms) do not count. Caffe
        prints −log(FLT_MIN) = 87.3365 where its softmax loss overflows: a loss that ends there counts as well.

    Limits
        None.

    What fools it
        Losses logged as NaN because nothing was computed (an empty batch, a metric not yet available).

    Reference
        Keras `TerminateOnNaN`; Caffe's `SoftmaxWithLossLayer` for 87.3365.
    """

    name: ClassVar[str] = "non-finite-loss"

    def analyze(self, case: Case) -> Finding | None:
        if not case.losses:
            raise CannotJudgeError("no loss in the log")
        broken = case.departure.non_finite
        if broken is None:
            return None
        curve = broken.curve
        later = curve.value[broken.index :]
        bad = int(curve.finite.size - curve.finite.sum())
        back = curve.finite[-1] and bad > 0
        end = f"{bad} of {len(curve)} values; finite again at the end" if back else f"{len(later)} values to the end"
        return Finding(
            self.name,
            Severity.ERROR,
            f"{curve.tag} is {curve.value[broken.index]:g} from {case.place(broken.x)} on ({end})",
            _advice(case, broken.x),
            case.span(broken.x, case.length),
            (broken.evidence,),
            True,
            {"since": broken.x, "non_finite": float(max(bad, 1))},
            "" if not back else "Values that are NaN because nothing was computed there.",
        )


def _advice(case: Case, x: float) -> str:
    if case.departure.diverged:
        return "The loss had left its level before, see `divergence`. Lower the rate or warm it up."
    return (
        f"The loss was healthy before, so one batch or one operation broke it. Look at the data of {case.place(x)}, at "
        "log(0), division by zero and half-precision overflow; restart from the checkpoint before it with gradient "
        "clipping, and stop on NaN (Keras: `TerminateOnNaN()`, PyTorch: `torch.autograd.set_detect_anomaly(True)` to "
        "find the layer)."
    )
