"""What changed since a baseline, as report.json says it under `changes`."""

from __future__ import annotations

from typing import Any

from logdoctor.changes import BestChange, Changes, RunChange
from logdoctor.gate import GateResult


def changes_entry(changes: Changes) -> dict[str, Any]:
    """All changes; numbers are not yet made strict JSON."""
    return {
        "baseline": {"path": changes.baseline, "logdoctor": changes.version},
        "new_runs": changes.new,
        "gone_runs": changes.gone,
        "renamed_runs": [
            {"from": run.former_name, "to": run.name, "by": run.renamed} for run in changes.runs if run.renamed
        ],
        "runs": [_run(run) for run in changes.runs],
        "gates": [_gate(result) for result in changes.gates],
    }


def _run(run: RunChange) -> dict[str, Any]:
    return {
        "name": run.name,
        "former_name": run.former_name,
        "new_findings": run.new_findings,
        "gone_findings": run.gone_findings,
        "other_severity": {name: {"before": then, "now": now} for name, (then, now) in run.other_severity.items()},
        "state": {"before": run.state[0], "now": run.state[1]},
        "best": _best(run.best) if run.best else None,
        "note": run.note,
    }


def _best(best: BestChange) -> dict[str, Any]:
    return {
        "tag": best.tag,
        "metric": best.metric,
        "split": best.split,
        "before": best.before,
        "now": best.now,
        "verdict": best.verdict,
        "noise": best.noise,
        "source": best.evidence.source,
        "line": best.evidence.line,
    }


def _gate(result: GateResult) -> dict[str, Any]:
    return {
        "gate": result.gate.text,
        "run": result.run,
        "tag": result.tag,
        "before": result.before,
        "now": result.now,
        "outcome": result.outcome,
        "reason": result.reason,
    }
