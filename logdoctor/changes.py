"""What changed since a baseline: runs, findings and the best validation, run by run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from logdoctor.baseline import Baseline, FormerRun
from logdoctor.diagnosis import Diagnosis, Report
from logdoctor.finding import Evidence
from logdoctor.gate import Gate, GateResult, judge_gates
from logdoctor.renaming import Pair, matched
from logdoctor.run import Curve, Run
from logdoctor.tracks import track
from logdoctor_parsers.names import direction

NOISE_SIGMAS = 2.0  # of the validation curve's scatter: a best value that moved less tells nothing


@dataclass(frozen=True)
class BestChange:
    """The best value logged of the curve a run is judged by (validation, else train loss), then and now.

    `higher_is_better` tells its direction, `noise` is the σ of the curve now (0 where unknown), `evidence` the line at
    which `now` stands.
    """

    tag: str
    metric: str
    split: str
    before: float
    now: float
    higher_is_better: bool
    noise: float
    evidence: Evidence

    @property
    def verdict(self) -> str:
        """`better`, `worse`, `equal`, or `within noise`."""
        gain = (self.now - self.before) * (1 if self.higher_is_better else -1)
        if gain == 0:
            return "equal"
        if abs(gain) <= NOISE_SIGMAS * self.noise:
            return "within noise"
        return "better" if gain > 0 else "worse"


@dataclass(frozen=True)
class RunChange:
    """A run that both reports have. `graver` and `milder`: findings whose severity rose or fell, with both words.

    `renamed` says by what a run of another name was matched; `note` why no best value can be compared.
    """

    name: str
    former_name: str
    renamed: str
    new_findings: tuple[str, ...]
    gone_findings: tuple[str, ...]
    other_severity: Mapping[str, tuple[str, str]]
    state: tuple[str, str]
    best: BestChange | None
    note: str = ""

    @property
    def tells(self) -> bool:
        """Whether anything changed that a person would want to know."""
        moved = self.best is not None and self.best.verdict in ("better", "worse")
        return bool(
            moved or self.new_findings or self.gone_findings or self.other_severity or self.renamed
            or self.state[0] != self.state[1] or self.note
        )  # fmt: skip


@dataclass(frozen=True)
class Changes:
    """All that changed since `baseline`, a file that logdoctor `version` wrote.

    `runs` are those that both have, in the order of the report; `gates` is what `--fail-if-worse` found.
    """

    baseline: str
    version: str
    new: tuple[str, ...]
    gone: tuple[str, ...]
    runs: tuple[RunChange, ...]
    gates: tuple[GateResult, ...] = ()

    @property
    def worse(self) -> bool:
        """Whether a gate found something worse."""
        return any(result.outcome == "worse" for result in self.gates)

    @property
    def unjudged(self) -> bool:
        """Whether a gate found nothing to compare with, in a run or at all."""
        return any(result.outcome == "unknown" for result in self.gates)


def with_changes(report: Report, baseline: Baseline, gates: Sequence[Gate]) -> Report:
    """The report with what changed since the baseline. Errors: LogDoctorError for a gate on a metric nobody logged."""
    diagnoses = {id(diagnosis.run): diagnosis for diagnosis in report.runs}
    pairs = matched(baseline.runs, [diagnosis.run for diagnosis in report.runs])
    taken = {id(pair.former) for pair in pairs} | {id(pair.run) for pair in pairs}
    changes = Changes(
        baseline.path, baseline.version,
        new=tuple(d.run.name for d in report.runs if id(d.run) not in taken),
        gone=tuple(run.name for run in baseline.runs if id(run) not in taken and run.name not in report.older),
        runs=tuple(_change(pair, diagnoses[id(pair.run)], baseline.ignored) for pair in pairs),
        gates=judge_gates(gates, pairs, baseline, [diagnosis.run for diagnosis in report.runs]),
    )  # fmt: skip
    return replace(report, changes=changes)


def _change(pair: Pair, diagnosis: Diagnosis, ignored: frozenset[tuple[str, str]]) -> RunChange:
    then, run = pair.former.findings, diagnosis.run
    now = {finding.analyzer: finding.severity.word for finding in diagnosis.findings}
    set_aside = {each.finding.analyzer for each in diagnosis.ignored}
    best, note = best_change(pair.former, run)
    return RunChange(
        run.name, pair.former.name, pair.how,
        new_findings=tuple(name for name in now if name not in then and (pair.former.name, name) not in ignored),
        gone_findings=tuple(name for name in then if name not in now and name not in set_aside),
        other_severity={name: (then[name], word) for name, word in now.items() if then.get(name, word) != word},
        state=(pair.former.state, diagnosis.state),
        best=best, note=note,
    )  # fmt: skip


def best_change(former: FormerRun, run: Run) -> tuple[BestChange | None, str]:
    """How the best value of the validation (without one, of the train loss) moved, or why that cannot be said."""
    curve = run.val or run.train
    if curve is None:
        return None, "no loss or validation value now" if former.series else ""
    higher = direction(curve.metric) > 0
    series = former.like(curve)
    before = math.nan if series is None else series.highest if higher else series.lowest
    if not curve.finite.any():
        return None, "" if math.isnan(before) else f"{curve.tag} has no finite value any more"
    if math.isnan(before):
        return None, f"no {curve.tag} in the baseline to compare with"
    at = curve.best(higher)
    now, noise = float(curve.value[at]), _noise(run, curve)
    return BestChange(curve.tag, curve.metric, curve.split, before, now, higher, noise, curve.evidence(at)), ""


def _noise(run: Run, curve: Curve) -> float:
    binned = track(curve, "validation", run.axis)
    noise = math.nan if binned is None else binned.noise
    return noise if math.isfinite(noise) else 0.0
