"""Work spread over processes where that pays: many runs, each judged by itself."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

PER_WORKER = 100  # items that make up for the second or two in which a process starts and imports
AT_ONCE = 8  # items sent to a process together


def workers_for(count: int, jobs: int | None) -> int:
    """How many processes: `jobs` as far as there are items for them, by default as many as pay for their start."""
    if jobs is not None:
        return max(1, min(jobs, count))
    return max(1, min(os.cpu_count() or 1, count // PER_WORKER))


def spread(
    work: Callable[[_Item], _Result],
    items: Sequence[_Item],
    lost: Callable[[_Item], _Result],
    jobs: int | None = None,
) -> Iterator[_Result]:
    """`work` of each item, in order; `jobs`: processes to use (None: by their number).

    What cannot be sent to another process is done in this one. Where a process was killed, as for its memory, the next
    items are done each in a process of its own; `lost` is the result of one that was killed there again.
    """
    count, done = workers_for(len(items), jobs), 0
    while count > 1 and done < len(items):
        try:
            for result in _pooled(work, items[done:], count):
                yield result
                done += 1
        except BrokenProcessPool:
            for item in items[done : done + AT_ONCE]:
                yield _alone(work, item, lost)
                done += 1
        except (pickle.PicklingError, AttributeError, TypeError):
            break  # as an analyzer that is defined inside a function: not for other processes
    for item in items[done:]:
        yield work(item)


def _pooled(work: Callable[[_Item], _Result], items: Sequence[_Item], count: int) -> Iterator[_Result]:
    """Errors: BrokenProcessPool where a process was killed; those of pickle."""
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_leave_interrupts)
    try:
        yield from pool.map(work, items, chunksize=AT_ONCE)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _alone(work: Callable[[_Item], _Result], item: _Item, lost: Callable[[_Item], _Result]) -> _Result:
    try:
        return next(_pooled(work, [item], 1))
    except BrokenProcessPool:
        return lost(item)


def _leave_interrupts() -> None:
    """Ctrl-C is for the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
