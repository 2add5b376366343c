"""`--fail-if-worse 'val_loss 2%'`: what may not have become worse since the baseline, and by how much it may."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from logdoctor.baseline import Baseline
from logdoctor.errors import LogDoctorError
from logdoctor.finding import Evidence
from logdoctor.options import did_you_mean
from logdoctor.renaming import Pair
from logdoctor.run import Curve, Run
from logdoctor_parsers.names import METRICS, canonical, direction

_GATE = re.compile(
    r"\s*(\S.*?)\s+(\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+)\s*(%?)(?:\s+(higher|lower)-is-better)?\s*", re.IGNORECASE
)
HOW = "write a metric and by how much it may be worse, such as 'val_loss 2%' or 'val_accuracy 0.01'"
# Where a metric is looked for, by the split its name says.
SPLITS = {"train": ("train", ""), "val": ("val", "test"), "test": ("test",), "": ("", "val", "test", "train")}
LOSS_SPLITS = ("train", "", "val", "test")  # a loss of which nothing is said is that of training
ROUNDING = 1e-9  # of the value: what adding and multiplying may make of equal numbers


class Series(Protocol):
    """Anything that tells as what it was logged, what it measures, and on which data."""

    @property
    def tag(self) -> str: ...
    @property
    def metric(self) -> str: ...
    @property
    def split(self) -> str: ...


Named = TypeVar("Named", bound=Series)


@dataclass(frozen=True)
class Gate:
    """A metric and how much worse its best value may be: a share of it (`relative`), or in its own unit."""

    text: str
    metric: str
    tolerance: float
    relative: bool
    higher_is_better: bool

    def allows(self, before: float, now: float) -> bool:
        """Whether `now` is no worse than `before` by more than the tolerance."""
        worse_by = before - now if self.higher_is_better else now - before
        allowed = self.tolerance * abs(before) if self.relative else self.tolerance
        return worse_by <= allowed + ROUNDING * max(abs(before), abs(now))


@dataclass(frozen=True)
class GateResult:
    """What a gate found in a run (`run` empty: in none): best values logged, NaN where there is none.

    `outcome`: `kept`, `worse`, `unknown` (there is nothing to compare with) or `absent` (no value then, none now);
    `reason` says why, where the numbers do not; `evidence` is the line of `now`.
    """

    gate: Gate
    run: str
    outcome: str
    tag: str = ""
    before: float = math.nan
    now: float = math.nan
    reason: str = ""
    evidence: Evidence | None = None


def parse_gates(given: Iterable[str], baseline: str | None) -> tuple[Gate, ...]:
    """The gates asked for. Errors: LogDoctorError for one that cannot be understood, and without a baseline."""
    gates = tuple(_gate(text) for text in given)
    if gates and baseline is None:
        raise LogDoctorError(
            "--fail-if-worse needs to know worse than what: give --baseline FILE, the report.json of a former report"
        )
    return gates


def _gate(text: str) -> Gate:
    match = _GATE.fullmatch(text)
    if not match:
        raise LogDoctorError(f"--fail-if-worse {text!r}: {HOW}")
    metric, number, percent, said = match.groups()
    known = direction(canonical(metric).metric)
    if not said and not known:
        near = difflib.get_close_matches(metric, _spoken(), n=1, cutoff=0.8)
        meant = f"did you mean {near[0]!r}? Else " if near else ""
        raise LogDoctorError(
            f"--fail-if-worse {text!r}: whether {metric} is better high or low is not known; {meant}"
            f"add higher-is-better or lower-is-better: '{metric} {number}{percent} higher-is-better'"
        )
    higher = said.lower() == "higher" if said else known > 0
    tolerance = float(number) / 100 if percent else float(number)
    if not math.isfinite(tolerance):
        raise LogDoctorError(f"--fail-if-worse {text!r}: {HOW}")
    return Gate(text.strip(), metric, tolerance, bool(percent), higher)


def _spoken() -> list[str]:
    """Names of metrics as people write them."""
    return [f"{split}{metric}" for metric in METRICS for split in ("val_", "", "train_", "test_")]


def judge_gates(
    gates: Sequence[Gate], pairs: Sequence[Pair], baseline: Baseline, runs: Sequence[Run]
) -> tuple[GateResult, ...]:
    """Every gate on every pair of runs. Errors: LogDoctorError for a metric that no run logged, then or now."""
    for gate in gates:
        _needs_to_be_known(gate, baseline, runs)
    if gates and not pairs:
        none = "no run of the baseline is among these, so nothing was compared"
        return tuple(GateResult(gate, "", "unknown", reason=none) for gate in gates)
    return tuple(_judge(gate, pair) for gate in gates for pair in pairs)


def _needs_to_be_known(gate: Gate, baseline: Baseline, runs: Sequence[Run]) -> None:
    logged: list[Series] = [curve for run in runs for curve in run.curves]
    logged += [series for run in baseline.runs for series in run.series]
    if logged and find(logged, gate.metric) is None:
        names = {series.tag for series in logged} | {_name(series) for series in logged}
        raise LogDoctorError(
            f"--fail-if-worse {gate.text!r}: no run logged {gate.metric}, neither then nor now"
            f"{did_you_mean(gate.metric, names)}"
        )


def _name(series: Series) -> str:
    return f"{series.split}_{series.metric}" if series.split else series.metric


def find(series: Sequence[Named], name: str) -> Named | None:
    """The series that a name means: the tag as logged, else the metric on the data its words say; None without one."""
    metric, split = canonical(name)
    exact = [each for each in series if each.tag == name]
    candidates = exact or [each for each in series if each.metric == metric]
    splits = LOSS_SPLITS if not split and metric == "loss" else SPLITS[split]
    return next((each for wanted in splits for each in candidates if each.split == wanted), None)


def _judge(gate: Gate, pair: Pair) -> GateResult:
    run = pair.run
    curve = find(_main_first(run), gate.metric)
    then = pair.former.like(curve) if curve is not None else find(pair.former.series, gate.metric)
    before = math.nan if then is None else then.highest if gate.higher_is_better else then.lowest
    if curve is None:
        gone = f"{gate.metric} is not logged any more"
        return GateResult(gate, run.name, "absent") if then is None else GateResult(
            gate, run.name, "worse", then.tag, before, reason=gone
        )  # fmt: skip
    if math.isnan(before):
        outcome = "unknown" if curve.finite.any() else "absent"
        return GateResult(gate, run.name, outcome, curve.tag, reason=f"no {gate.metric} in the baseline")
    if not curve.finite.any():
        reason = f"{curve.tag} has no finite value any more"
        return GateResult(gate, run.name, "worse", curve.tag, before, reason=reason, evidence=curve.evidence(-1))
    at = curve.best(gate.higher_is_better)
    now = float(curve.value[at])
    outcome = "kept" if gate.allows(before, now) else "worse"
    return GateResult(gate, run.name, outcome, curve.tag, before, now, evidence=curve.evidence(at))


def _main_first(run: Run) -> list[Curve]:
    """The curves of a run: those judged by, then those with most points, so that the main telling counts."""
    main = [curve for curve in (run.val, run.val_metric, run.train) if curve is not None]
    rest = [curve for curve in run.curves if len(curve) and not any(curve is other for other in main)]
    return main + sorted(rest, key=len, reverse=True)
