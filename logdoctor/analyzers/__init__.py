"""The diagnoses, one a module. `ANALYZERS` is the list, in the order of the manual.

Third-party analyzers join by the entry point group `logdoctor.analyzers`.
"""

from __future__ import annotations

from logdoctor.analyzers.collapse import Collapse
from logdoctor.analyzers.contract import Analyzer
from logdoctor.analyzers.divergence import Divergence
from logdoctor.analyzers.double_descent import DoubleDescent
from logdoctor.analyzers.early_drop import EarlyDrop
from logdoctor.analyzers.epoch_sawtooth import EpochSawtooth
from logdoctor.analyzers.generalization_gap import GeneralizationGap
from logdoctor.analyzers.interrupted import Interrupted
from logdoctor.analyzers.late_drop import LateDrop
from logdoctor.analyzers.linear_scaling import LinearScaling
from logdoctor.analyzers.loss_spike import LossSpike
from logdoctor.analyzers.non_finite_loss import NonFiniteLoss
from logdoctor.analyzers.not_learning import NotLearning
from logdoctor.analyzers.oscillation import Oscillation
from logdoctor.analyzers.overfitting import Overfitting
from logdoctor.analyzers.plateau import Plateau
from logdoctor.analyzers.slow_learning import SlowLearning
from logdoctor.analyzers.stalled import Stalled
from logdoctor.analyzers.still_improving import StillImproving
from logdoctor.analyzers.too_short import TooShort
from logdoctor.analyzers.validation_below_training import ValidationBelowTraining

ANALYZERS: tuple[Analyzer, ...] = (
    Interrupted(),
    Stalled(),
    NonFiniteLoss(),
    Divergence(),
    NotLearning(),
    Collapse(),
    LossSpike(),
    Oscillation(),
    EpochSawtooth(),
    Overfitting(),
    DoubleDescent(),
    GeneralizationGap(),
    ValidationBelowTraining(),
    Plateau(),
    LateDrop(),
    EarlyDrop(),
    StillImproving(),
    SlowLearning(),
    LinearScaling(),
    TooShort(),
)

__all__ = ["ANALYZERS", "Analyzer"]
