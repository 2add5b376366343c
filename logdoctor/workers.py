"""Work spread over processes where that pays: many runs, each judged by itself."""

from __future__ import annotations

import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing import active_children, get_context, parent_process
from threading import Thread
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
    items: Iterable[_Item],
    lost: Callable[[_Item], _Result],
    workers: int = 1,
) -> Generator[_Result, None, None]:
    """`work` of each item, in order, by so many processes; no more items are asked for than keep these busy.

    What cannot be sent to another process is done in this one. Where a process was killed, as for its memory, the items
    under way are done each in a process of its own; `lost` is the result of one that was killed there again. Where
    whoever asks for the results stops early (closes the generator, or is stopped by a signal), the processes are ended.
    """
    if workers == 1:
        yield from map(work, items)
        return
    remaining = iter(items)
    under_way: deque[tuple[list[_Item], Future[list[_Result]]]] = deque()
    pool = _pool(workers)
    try:
        while True:
            while len(under_way) <= workers and (part := list(islice(remaining, AT_ONCE))):
                under_way.append((part, pool.submit(_each, work, part)))
            if not under_way:
                return
            try:
                done = under_way[0][1].result()
            except BrokenProcessPool:
                items_lost = list(chain(*(part for part, _ in under_way)))
                under_way.clear()
                for item in items_lost:
                    yield _alone(work, item, lost)
                pool = _pool(workers)
                continue
            except (pickle.PicklingError, AttributeError, TypeError):
                break  # as an analyzer that is defined inside a function: not for other processes
            under_way.popleft()
            yield from done
    except BaseException:
        _end_processes()
        raise
    finally:
        # Not by cancel_futures: where an item cannot be sent either, Python's pool then waits for it forever.
        for _, future in under_way:
            future.cancel()
        pool.shutdown(wait=False)
    yield from map(work, chain(*(part for part, _ in under_way), remaining))


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_belong_to_parent)


def _each(work: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    return [work(item) for item in items]


def _alone(work: Callable[[_Item], _Result], item: _Item, lost: Callable[[_Item], _Result]) -> _Result:
    with _pool(1) as pool:
        try:
            return pool.submit(work, item).result()
        except BrokenProcessPool:
            return lost(item)


def _end_processes() -> None:
    """At once, so that none writes any more into a folder that is about to be removed."""
    processes = active_children()
    for process in processes:
        process.kill()
    for process in processes:
        process.join()


def _belong_to_parent() -> None:
    """Signals that stop the work are for the process that started this one; when that has ended, so does this."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
