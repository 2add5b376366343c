from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from logdoctor.analyzers.contract import limit
from logdoctor.case import Case, amount
from logdoctor.finding import Evidence, Finding, Severity
from logdoctor.progress import ended_early, fresh, plan, running
from logdoctor.run import Closing

CAUSES = {
    "crashed": "the process crashed",
    "stopped": "the run was stopped by hand",
    "torn": "the log breaks off in the middle of a line or record",
}


@dataclass(frozen=True)
class Reason:
    """Why a run ended, told by any of `words` in lower case; `advice`: cause, then remedy."""

    name: str
    words: tuple[str, ...]
    advice: str


REASONS = (
    Reason(
        "out of host memory",
        ("oom-kill", "oom killed", "defaultcpuallocator", "bad_alloc"),
        "The machine's memory ran out. Use fewer data-loader workers or a machine with more memory.",
    ),
    Reason(
        "out of memory",
        ("out of memory", "outofmemory", "cuda error: out"),
        "The device's memory ran out. Halve the batch size (and the learning rate with it), or accumulate gradients.",
    ),
    Reason(
        "node failure",
        ("node fail", "node_fail", "nodefail"),
        "The machine failed, not the training. Resume on another node.",
    ),
    Reason(
        "ended by the scheduler",
        ("sigterm", "time limit", "cancelled", "preempt"),
        "The job scheduler ended it. Ask for more time, and save a checkpoint each epoch.",
    ),
    Reason(
        "killed",
        ("killed", "sigkill", "signal 9", "exit code 137", "exit code -9"),
        "It was killed from outside, usually for memory. Use fewer data-loader workers, or more RAM.",
    ),
    Reason(
        "disk full",
        ("no space", "disk quota"),
        "The disk was full. Keep fewer checkpoints, and resume from the last whole one.",
    ),
    Reason(
        "connection lost",
        ("nccl", "connection reset", "connection refused"),
        "The processes lost each other. See which rank failed first, and resume from the last checkpoint.",
    ),
    Reason(
        "by hand",
        ("keyboardinterrupt", "sigint"),
        "It was stopped by hand. Resume from the last checkpoint if that was not meant.",
    ),
)
FAILED = Reason(
    "crashed", (), "An error in the program or its data ended it. Mend that, and resume from the last checkpoint."
)
REPLACED = Reason(
    "", (), "It was started again in the same file. Nothing is to do, unless this start was the right one."
)
UNKNOWN = Reason(
    "", (), "The cause is not in the log. See what the job scheduler says, and resume from the last checkpoint."
)


@dataclass(frozen=True)
class Interrupted:
    """The run did not come to its end.

    What it says
        How the log breaks off, with its last lines, and how much of the plan was done.

    Why it matters
        Nobody notices a crash at night until morning, and its numbers are not those of a finished run.

    How it decides
        The log's last lines (traceback, out of memory, killed, signal; a torn line or record), or a planned number of
        epochs or steps, as the log states it, that was not reached. Not when the log says it finished or stopped early
        on purpose, nor while the file is still being written. One that was started again in the same file is a note.

    Limits
        min_missing: share of the plan that must be missing.
        rhythm: a file written within this many of its own intervals of now is running.

    What fools it
        A log without times that is still being written (tentative while fresh); one that ends with the last flush
        of a buffer; a plan that was overridden after it was printed.

    Reference
        POSIX signals 9 and 15; PyTorch's `torch.cuda.OutOfMemoryError`.
    """

    name: ClassVar[str] = "interrupted"

    min_missing: float = limit(0.005, "share of the plan", "the last few steps are often not logged")
    rhythm: float = limit(5.0, "intervals between lines", "a slow epoch is no crash")

    def analyze(self, case: Case) -> Finding | None:
        closing = case.run.closing
        if closing.kind in ("finished", "early-stopping"):
            return None
        if closing.kind not in CAUSES and not ended_early(case, self.min_missing):
            return None
        if closing.kind != "crashed" and running(case, self.rhythm):
            return None
        return self._finding(case)

    def _finding(self, case: Case) -> Finding:
        closing, planned = case.run.closing, plan(case)
        cause = CAUSES.get(closing.kind, "the log simply ends")
        said, reason = f": {_message(closing)}" if closing.message else "", _reason(closing)
        return Finding(
            self.name,
            Severity.INFO if closing.followed else Severity.ERROR,
            f"interrupted {_where(case)}: {cause}{said}",
            reason.advice,
            case.span(case.length, case.length),
            (_place(case),),
            closing.kind == "crashed" or (closing.kind in CAUSES and not fresh(case)),
            {
                "end": case.length,
                "planned": planned.total if planned else None,
                "kind": closing.kind,
                "reason": reason.name or None,
            },
            "" if closing.kind in CAUSES else f"A log that goes on beyond {amount(case.length)}.",
        )


def _message(closing: Closing) -> str:
    """What the end says of itself; of a line cut off, not the line, which is shown below."""
    return closing.message.split(": '", 1)[0] if closing.kind == "torn" else closing.message


def _place(case: Case) -> Evidence:
    """The line that tells of the end, else the last one with a number."""
    closing = case.run.closing.evidence
    ends = [curve.evidence(-1) for curve in case.run.curves if len(curve)] if closing.line == 0 else []
    return max((end for end in ends if end.source == closing.source), key=lambda end: end.line, default=closing)


def _where(case: Case) -> str:
    """How far the run came, and how much of its plan that is."""
    if planned := plan(case):
        return f"at {planned.words} ({planned.done / planned.total:.0%})"
    return f"at {case.place(case.length)}" if math.isfinite(case.length) else "before the first number was logged"


def _reason(closing: Closing) -> Reason:
    """What the line that tells of the end names as the reason, else the last lines."""
    if closing.followed:
        return REPLACED
    for text in (closing.message.lower(), "\n".join(closing.tail).lower()):
        for reason in REASONS:
            if any(word in text for word in reason.words):
                return reason
    return FAILED if closing.kind == "crashed" else UNKNOWN
