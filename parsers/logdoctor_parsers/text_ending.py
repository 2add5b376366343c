"""How a text log closes: with a word of its own, by hand, or with a crash, and which lines tell of it."""

from __future__ import annotations

import re

from logdoctor_parsers.contract import Ending
from logdoctor_parsers.text import TextLines

TAIL_LINES, TAIL_LETTERS = 20, 400
LINES_AFTER = 2  # shown after the line that tells why a run crashed
SEARCHED = 2000  # lines after the last number
BEGINNING = 10_000  # characters of a line; one without an end may have a hundred million

_PREFIX = r"^(?:\s|\[[^\]]{0,40}\]:?|\(\w+ pid=\d+\))*"  # `[rank0]: `, `(worker pid=12) `
_STOPPED = re.compile(r"KeyboardInterrupt|^\s*\^C\s*$|interrupted by (?:the )?user", re.IGNORECASE)
_MEMORY = re.compile(r"out of memory|OutOfMemoryError|oom-kill|OOM Killed|bad_alloc|DefaultCPUAllocator", re.IGNORECASE)
_MACHINE = re.compile(
    r"NODE[ _]FAIL|CANCELLED AT|DUE TO (?:TIME LIMIT|PREEMPTION)|No space left on device|Disk quota exceeded"
)
_ERROR = re.compile(rf"{_PREFIX}(?:\w+\.)*(?!ChildFailedError)\w+(?:Error|Exception)\b(?::|$)")
_CRASHED = re.compile(
    rf"{_PREFIX}Traceback \(most recent call last\)|\bKilled\b|Segmentation fault|Bus error"
    r"|\bSIG(?:TERM|KILL|SEGV|ABRT|BUS|HUP)\b|core dumped|\bAborted\b \(|Check failed:|ChildFailedError"
    r"|^srun: error|^slurmstepd: error|NCCL (?:error|timeout)|exit(?:ed with)? code (?:-\d|13[479]\b|143\b)"
)
_EARLY = re.compile(r"early[ _-]?stop(?!\w*[ _:-]*(?:counter|patience|=|:\s*\d|callback))", re.IGNORECASE)
_FINISHED = re.compile(
    r"train(?:ing)?(?: loop)? (?:is |was |has )?(?:been )?(?:successfully )?(?:completed?|finished|done|ended)"
    r"|(?:end of|finished|completed) training|optimization done|['\"]train_runtime['\"]|exit code 0\b"
    r"|exits successfully"
    r"|training time:? |all (?:epochs )?done|^\s*(?:done|finished)[.! ]*$|training_loop marked as finished",
    re.IGNORECASE,
)
# What tells most comes first: that memory ran out says more than the launcher's summary that follows it.
_CLOSINGS = ((_STOPPED, "stopped"), *((pattern, "crashed") for pattern in (_MEMORY, _MACHINE, _ERROR, _CRASHED)))


def find_ending(lines: TextLines, last_data: int = 0) -> Ending:
    """How the log closes, judged by what stands after physical line `last_data` (the last with a training value)."""
    first = len(lines)
    while first and lines.numbers[first - 1] > last_data and first > len(lines) - SEARCHED:
        first -= 1
    after = [(lines.numbers[i], lines.texts[i][:BEGINNING]) for i in range(first, len(lines))]
    for pattern, kind in _CLOSINGS:
        if hits := [(number, text) for number, text in after if pattern.search(text)]:
            number, text = hits[-1]
            return Ending(kind, number, text.strip()[:300])
    close = [(number, text[:BEGINNING]) for number, text in zip(lines.numbers[-40:], lines.texts[-40:], strict=True)]
    for pattern, kind in ((_EARLY, "early-stopping"), (_FINISHED, "finished")):
        for number, text in reversed(close):
            if pattern.search(text):
                return Ending(kind, number, text.strip()[:300])
    return Ending()


def last_lines(lines: TextLines, ending: Ending) -> tuple[str, ...]:
    """The last lines of a log; of one that crashed those up to the crash, whatever was printed after it.

    Empty lines are left out, and so are repetitions of the line before.
    """
    last = len(lines)
    if ending.kind == "crashed":
        last = next((i for i in range(last, 0, -1) if lines.numbers[i - 1] <= ending.line + LINES_AFTER), last)
    shown: list[str] = []
    for text in reversed(lines.texts[max(0, last - SEARCHED) : last]):
        if text.strip() and text[:TAIL_LETTERS] != (shown[-1] if shown else None):
            shown.append(text[:TAIL_LETTERS])
        if len(shown) == TAIL_LINES:
            break
    return tuple(reversed(shown))
