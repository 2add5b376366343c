from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from logdoctor.analyzers.contract import limit
from logdoctor.case import Case, amount
from logdoctor.finding import CannotJudgeError, Finding, Severity
from logdoctor.progress import ended_early, last_written, rhythm, silent


@dataclass(frozen=True)
class Stalled:
    """Nothing was logged for far longer than usual.

    What it says
        Since when the log is silent, and how often it used to speak.

    Why it matters
        A hung data loader or a dead worker holds the machine all night without any error.

    How it decides
        The time since the log was last written to is compared with the usual distance of its lines. Logs that say
        how they ended, that have reached their plan, or that are older than a day are finished, not stalled. Without
        a plan in the log it is a note: most such runs have simply ended.

    Limits
        intervals: of the log's own rhythm without a line.

    What fools it
        A long evaluation or checkpoint at the end of an epoch; clocks that differ between machines; a run that ended
        within the day without saying so.

    Reference
        SageMaker Debugger's `StalledTrainingRule` (1800 s, whatever the rhythm).
    """

    name: ClassVar[str] = "stalled"

    intervals: float = limit(20.0, "usual intervals", "an evaluation may take as long as ten")

    def analyze(self, case: Case) -> Finding | None:
        if not math.isfinite(rhythm(case)):
            raise CannotJudgeError("no times in the log")
        if not math.isfinite(case.now):
            raise CannotJudgeError("the present time is unknown")
        open_end = case.run.closing.kind == "open" and ended_early(case) is not False
        if not open_end or not silent(case, self.intervals):
            return None
        usual, last = rhythm(case), last_written(case)
        planned = ended_early(case) is True
        return Finding(
            self.name,
            Severity.ERROR if planned else Severity.INFO,
            f"nothing logged for {_duration(case.now - last)}, while a line used to come every {_duration(usual)}: "
            f"silent since {datetime.fromtimestamp(last, UTC):%Y-%m-%d %H:%M} UTC at {case.place(case.length)}",
            "It hangs or died without a word: a data loader, a collective operation that lacks a rank, a full disk. "
            "See whether the process still runs and where it waits (`py-spy dump --pid …`, `nvidia-smi`), then resume "
            "from the last checkpoint.",
            case.span(case.length, case.length),
            (case.run.closing.evidence,),
            planned,
            {"silent_seconds": case.now - last, "usual_seconds": usual},
            "" if planned else "A plan in the log: without it the run may simply have ended.",
        )


def _duration(seconds: float) -> str:
    """Seconds in the unit a reader would choose."""
    for size, word in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 1.5 * size:
            return f"{amount(seconds / size)} {word}"
    return f"{amount(seconds)} seconds"
