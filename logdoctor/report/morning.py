"""What the morning asks of a run: is it still going and until when, how did it end, what can it go on from."""

from __future__ import annotations

from logdoctor.checkpoints import last_checkpoint, nearest_checkpoint
from logdoctor.diagnosis import Diagnosis
from logdoctor.report import numbers
from logdoctor.report.escape import plain
from logdoctor.run import Checkpoint, Run

ENDED = ("interrupted", "stalled")
ENDINGS = {
    "crashed": "It crashed at",
    "torn": "The log breaks off at",
    "stopped": "It was stopped at",
    "open": "The log simply ends at",
}
SHOWN_LINES = {"crashed": 12, "torn": 4, "stopped": 4, "open": 3}


def told(diagnosis: Diagnosis) -> list[str]:
    """Progress of a run that goes on, checkpoints of any: sentences in which backticks mark code."""
    run = diagnosis.run
    lines = [_progress(diagnosis)] if diagnosis.state == "running" else []
    if diagnosis.state in ENDED and not run.closing.followed and (last := last_checkpoint(run)) is not None:
        lines.append(f"Restart from {_saved(last, run)}{_lost(last, run)}.")
    best = diagnosis.measures.get("best_epoch")
    if best is not None and (nearest := nearest_checkpoint(run, best)) is not None:
        lines.append(f"Nearest to the best, {numbers.position(best, run.axis.unit)}: {_saved(nearest, run)}.")
    return [line for line in lines if line]


def sentences(diagnosis: Diagnosis) -> list[str]:
    """All of it, with where and why the log ends: `It crashed at a.log:99: CUDA out of memory.`"""
    said, lines = how_it_ended(diagnosis)
    why = f": {plain(diagnosis.run.closing.message)}" if diagnosis.run.closing.message else ""
    ended = [f"{said} {where_it_ended(diagnosis)}{why}."] if lines else []
    return [*ended, *told(diagnosis)]


def _progress(diagnosis: Diagnosis) -> str:
    done = outlook(diagnosis)
    return f"Still running: {done}." if done else "Still running."


def outlook(diagnosis: Diagnosis) -> str:
    """How far a run that goes on has come and when it will be done: `62 % done, until about 2026-11-23 14:30 UTC`."""
    done, end = (diagnosis.measures.get(name) for name in ("progress", "expected_end"))
    until = numbers.moment(end)
    parts = [f"{numbers.share(done)} done"] if done is not None else []
    parts += [f"until about {until} UTC"] if until != numbers.NOTHING else []
    return ", ".join(parts)


def _saved(checkpoint: Checkpoint, run: Run) -> str:
    """What was saved, where on the axis, and the line that says so."""
    what = f"`{_as_code(checkpoint.path)}`" if checkpoint.path else f"what the log calls `{_as_code(checkpoint.text)}`"
    return f"{what}, saved at {numbers.position(checkpoint.x, run.axis.unit)} (`{_as_code(str(checkpoint.evidence))}`)"


def _as_code(text: str) -> str:
    """Text that can stand between backticks."""
    return plain(text).replace("`", "'")


def _lost(checkpoint: Checkpoint, run: Run) -> str:
    lost = run.end - checkpoint.x
    return f"; {numbers.amount(lost, run.axis)} lost" if numbers.place(lost) not in ("0", numbers.NOTHING) else ""


def how_it_ended(diagnosis: Diagnosis) -> tuple[str, tuple[str, ...]]:
    """Where the log of a run that did not close by itself ends (`It crashed at a.log:99`), and its last lines."""
    closing = diagnosis.run.closing
    if closing.kind not in ENDINGS or (closing.kind == "open" and diagnosis.state not in ENDED):
        return "", ()
    lines = closing.tail[-SHOWN_LINES[closing.kind] :]
    return (ENDINGS[closing.kind] if lines else ""), lines


def where_it_ended(diagnosis: Diagnosis) -> str:
    """`file:line` of the line that tells of the end; where none does, of the last one with a number."""
    closing = diagnosis.run.closing.evidence
    found = (f.evidence[0] for f in diagnosis.findings if f.analyzer == "interrupted" and f.evidence)
    evidence = closing if closing.line else next(found, closing)
    return str(evidence) if evidence.line else evidence.source
