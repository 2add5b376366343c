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


def spread(work: Callable[[_Item], _Result], items: Sequence[_Item], jobs: int | None = None) -> Iterator[_Result]:
    """`work` of each item, in order; `jobs`: processes to use (None: by their number).

    What cannot be sent to another process, or what a process that died was at, is done in this one.
    """
    count, done = workers_for(len(items), jobs), 0
    if count > 1:
        pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_leave_interrupts)
        try:
            for result in pool.map(work, items, chunksize=AT_ONCE):
                yield result
                done += 1
        except (BrokenProcessPool, pickle.PicklingError, AttributeError, TypeError):
            pass  # as an analyzer that is defined inside a function: not for other processes
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    for item in items[done:]:
        yield work(item)


def _leave_interrupts() -> None:
    """Ctrl-C is for the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
