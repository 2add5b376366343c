"""A comparison as plain dictionaries and lists, for `report.json`; values may still be NaN or numpy's."""

from __future__ import annotations

from typing import Any

from logdoctor.compare import Comparison, Entrant, SideBySide
from logdoctor.curves.crossing import Crossing


def comparison_entry(comparison: Comparison) -> dict[str, Any]:
    """One pair of runs in one series: an entry of the documented list `comparisons`."""
    return {
        "runs": comparison.runs,
        "metric": comparison.metric,
        "split": comparison.split,
        "leader_early": comparison.leader_early,
        "leader_end": comparison.leader_end,
        "crossing": _crossing(comparison.crossing, comparison.unit),
        "expected_crossing": _crossing(comparison.expected, comparison.unit),
        "late_overtaker": comparison.late_overtaker,
        "message": comparison.message,
    }


def standings_entry(side: SideBySide) -> dict[str, Any]:
    """What all runs have in common: axis, best so far at equal places, settings with several seeds."""
    return {
        "unit": side.unit,
        "metric": side.metric,
        "split": side.split,
        "marks": side.marks,
        "standings": [_standing(entrant) for entrant in side.entrants],
        "seeds": [
            {"setting": s.name, "runs": s.runs, "best": s.best, "spread": s.spread, "at_marks": s.at_marks}
            for s in side.seeds
        ],
        "notes": side.notes,
        "plot": None if side.plot is None else side.plot.as_posix(),
    }


def _standing(entrant: Entrant) -> dict[str, Any]:
    return {
        "run": entrant.diagnosis.run.name,
        "best_so_far": entrant.best_so_far,
        "best": entrant.best,
        "best_at": entrant.best_at,
        "last": entrant.last,
    }


def _crossing(crossing: Crossing | None, unit: str) -> dict[str, Any] | None:
    return None if crossing is None else {"at": crossing.at, "unit": unit, "low": crossing.low, "high": crossing.high}
