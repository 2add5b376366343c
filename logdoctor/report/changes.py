"""What changed since a baseline, in words: at the top of `report.md`, in the terminal, for GitHub."""

from __future__ import annotations

import math
from collections.abc import Sequence

import logdoctor
from logdoctor.changes import BestChange, Changes, RunChange
from logdoctor.gate import Gate, GateResult
from logdoctor.report import numbers
from logdoctor.report.escape import code, plain, prose
from logdoctor.report.section import details, table

SHOWN_RUNS = 5  # above the table of all runs, which a reader came for
SHOWN_NAMES = 6
HEADER = ("run", "change", "new findings", "gone findings", "best logged then", "now")
TEXT_COLUMNS = 4


def summary(changes: Changes) -> str:
    """All changes counted in a sentence: `2 new runs, 1 run gone, 3 new findings, best value better in 4 runs`."""
    verdicts = [run.best.verdict for run in changes.runs if run.best]
    counted = (
        (len(changes.new), "new run", "new runs"),
        (len(changes.gone), "run gone", "runs gone"),
        (sum(bool(run.renamed) for run in changes.runs), "run renamed", "runs renamed"),
        (sum(len(run.new_findings) for run in changes.runs), "new finding", "new findings"),
        (sum(len(run.gone_findings) for run in changes.runs), "finding gone", "findings gone"),
        (verdicts.count("worse"), "run with a worse best value", "runs with a worse best value"),
        (verdicts.count("better"), "run with a better one", "runs with a better one"),
    )
    parts = [f"{count} {one if count == 1 else many}" for count, one, many in counted if count]
    quiet = f"nothing changed in {len(changes.runs)} run{'s' * (len(changes.runs) != 1)}"
    other = (
        ""
        if changes.version == logdoctor.__version__
        else f" (by logdoctor {changes.version}, which may judge otherwise)"
    )
    return f"Since {changes.baseline}{other}: {', '.join(parts) or quiet}."


def told(changes: Changes) -> list[RunChange]:
    """The runs in which something changed: worse ones first, then new findings, then the rest."""

    def urgency(run: RunChange) -> tuple[bool, int]:
        return not (run.best and run.best.verdict == "worse"), -len(run.new_findings)

    return sorted((run for run in changes.runs if run.tells), key=urgency)


def best_words(best: BestChange) -> str:
    """`val_loss 0.52 → 0.61 (+17.3 %, worse)`."""
    return f"{plain(best.tag)} {numbers.figure(best.before, 4)} → {numbers.figure(best.now, 4)} ({_moved(best)})"


def _moved(best: BestChange) -> str:
    moved = difference(best.before, best.now)
    return best.verdict if best.verdict == "equal" else f"{moved}, {best.verdict}"


def difference(before: float, now: float) -> str:
    """What was added, in percent of what was; as it is where that was nothing."""
    if before == 0 or not math.isfinite(before):
        return f"{now - before:+.4g}"
    return f"{100 * (now - before) / abs(before):+.1f} %"


def lines(changes: Changes, most: int = SHOWN_RUNS) -> list[str]:
    """The changes as plain lines: the sentence, what gates found, runs new and gone, and `most` changed runs."""
    shown = told(changes)
    rest = [f"… and {len(shown) - most} more runs that changed"] if len(shown) > most else []
    changed = [f"{plain(run.name)}: {_run_words(run)}" for run in shown[:most]]
    return [plain(summary(changes)), *gate_lines(changes.gates), *names_of(changes), *changed, *rest]


def _run_words(run: RunChange) -> str:
    parts = [best_words(run.best)] if run.best and run.best.verdict != "equal" else []
    parts += [f"new {', '.join(run.new_findings)}"] if run.new_findings else []
    parts += [f"gone {', '.join(run.gone_findings)}"] if run.gone_findings else []
    return "; ".join([*parts, *_asides(run)])


def _asides(run: RunChange) -> list[str]:
    """What else is to be said of a changed run: its former name, its state, severities, why no value is compared."""
    then, now = run.state
    words = [f"called {plain(run.former_name)} then ({run.renamed})"] if run.renamed else []
    words += [f"{plain(then)} → {now}"] if then != now else []
    words += [f"{name} {plain(before)} → {after}" for name, (before, after) in run.other_severity.items()]
    return [*words, *([run.note] if run.note else [])]


def names_of(changes: Changes) -> list[str]:
    """New and gone runs by name."""
    groups = (("New", changes.new), ("Gone", changes.gone))
    return [
        f"{word}: {', '.join(plain(name) for name in names[:SHOWN_NAMES])}{_more(names)}"
        for word, names in groups
        if names
    ]


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""


def gate_lines(results: Sequence[GateResult]) -> list[str]:
    """What each gate found, in a line each, and in a line more for each run that is worse or could not be compared."""
    written: list[str] = []
    for gate in dict.fromkeys(result.gate for result in results):
        mine = [result for result in results if result.gate == gate]
        written += [_gate_line(gate, mine), *(f"  {line}" for line in _exceptions(mine))]
    return written


def _gate_line(gate: Gate, mine: Sequence[GateResult]) -> str:
    count = {
        outcome: sum(result.outcome == outcome for result in mine) for outcome in ("kept", "worse", "unknown", "absent")
    }
    judged = count["kept"] + count["worse"]
    verdict = f"worse in {count['worse']} of {judged} runs" if count["worse"] else f"kept in {judged} of {judged} runs"
    parts = [verdict if judged else "judged in no run"]
    parts += [f"not judged in {count['unknown']}"] if count["unknown"] and judged else []
    parts += [f"no value then or now in {count['absent']}"] if count["absent"] else []
    return f"{'✗' if count['worse'] else '?' if count['unknown'] else '✓'} {plain(gate.text)}: {', '.join(parts)}"


def _exceptions(mine: Sequence[GateResult]) -> list[str]:
    odd = sorted(
        (result for result in mine if result.outcome in ("worse", "unknown")), key=lambda r: r.outcome != "worse"
    )
    more = [f"… and {len(odd) - SHOWN_NAMES} more"] if len(odd) > SHOWN_NAMES else []
    return [*(result_words(result) for result in odd[:SHOWN_NAMES]), *more]


def result_words(result: GateResult) -> str:
    """What a gate found in one run: `vgg: val_loss 0.52 → 0.61 (+17.3 %), at most 2% worse allowed`."""
    name = f"{plain(result.run)}: " if result.run else ""
    if result.reason:
        return f"{name}{plain(result.reason)}"
    then, now = numbers.figure(result.before, 4), numbers.figure(result.now, 4)
    return f"{name}{plain(result.tag)} {then} → {now} ({difference(result.before, result.now)})"


def blocks(changes: Changes) -> list[str]:
    """The changes as blocks of Markdown: short, since the table of all runs comes below."""
    rows = [_row(run) for run in told(changes)[:SHOWN_RUNS]]
    gates = "\n".join(_listed(line) for line in gate_lines(changes.gates))
    named = "\n".join(f"- {prose(line)}" for line in names_of(changes))
    return [f"**{prose(summary(changes))}**", gates, named, table(HEADER, rows, TEXT_COLUMNS) if rows else ""]


def more(changes: Changes) -> str:
    """The changed runs for which there is no room at the top, folded away."""
    rows = [_row(run) for run in told(changes)[SHOWN_RUNS:]]
    return details(f"{len(rows)} more runs that changed", table(HEADER, rows, TEXT_COLUMNS)) if rows else ""


def _listed(line: str) -> str:
    inner = line.startswith("  ")
    return f"{'  ' * inner}- {prose(line.strip())}"


def _row(run: RunChange) -> list[str]:
    name, *rest = cells(run)
    return [code(name, 80, cell=True), *(prose(cell) for cell in rest)]


def cells(run: RunChange) -> list[str]:
    """A changed run's row under `HEADER`, as text without markup."""
    best, moved = run.best, ""
    then = now = numbers.NOTHING
    if best:
        then, now, moved = (
            numbers.figure(best.before, 4), numbers.figure(best.now, 4), f"{best.tag}: {_moved(best)}",
        )  # fmt: skip
    change = "; ".join(part for part in (moved, *_asides(run)) if part)
    found = (", ".join(names) or numbers.NOTHING for names in (run.new_findings, run.gone_findings))
    return [run.name, change, *found, then, now]
