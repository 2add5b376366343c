"""What a Caffe log states about its runs.

The solver's parameters under their own names, `optimizer`, `batch_size` (one device, one pass), `test_batch_size`,
`devices`, `dataset_size` where a data layer counts its images, `steps_per_epoch` where a data thread tells its passes,
`epochs` planned (NVCaffe 0.17), `resumed_from`, `finetuned_from`, `last_checkpoint`, `test_at_start`,
`evaluation_only`, `framework`. Every process in a file repeats its own.
"""

from __future__ import annotations

import numpy as np

from logdoctor_parsers.caffe_epochs import steps_per_epoch
from logdoctor_parsers.caffe_lines import EPOCHS, Kind
from logdoctor_parsers.caffe_log import Log
from logdoctor_parsers.contract import Fact, Ints


def facts_of(log: Log, body: bytes) -> list[Fact]:
    """All facts, by line."""
    facts = [*log.messages.facts]
    facts += [Fact("evaluation_only", True, f.line) for f in facts if f.name == "max_iter" and f.value == 0]
    if log.last_line or facts:
        facts.append(Fact("framework", "Caffe", min([fact.line for fact in facts] or [log.last_line])))
    if np.isfinite(log.iterations.epoch).any() and (planned := EPOCHS.search(body)):
        facts.append(Fact("epochs", float(planned[2]), body.count(b"\n", 0, planned.start()) + 1))
    facts += [found for found in (_test_at_start(log), _steps_per_epoch(log)) if found]
    return sorted(facts, key=lambda fact: fact.line)


def _test_at_start(log: Log) -> Fact | None:
    """That a net was tested before its first update (says nothing of an untrained net, much of a pre-trained one)."""
    tests = np.flatnonzero(log.iterations.kind == Kind.TEST)
    losses = np.flatnonzero(log.iterations.kind == Kind.LOSS)
    if not len(tests) or not len(losses) or tests[0] > losses[0]:
        return None
    return Fact("test_at_start", True, int(log.iterations.line[tests[0]]))


def _steps_per_epoch(log: Log) -> Fact | None:
    """Iterations per epoch from the passes told in the process that tells most of them."""
    line = np.array([restart.number for restart in log.messages.restarts], np.int64)
    if not len(line) or not len(log.iterations.line):
        return None
    edges = np.array([0, *log.messages.starts, np.iinfo(np.int64).max])
    process = np.searchsorted(edges, line, side="right")
    chosen = int(np.bincount(process).argmax())
    rows = np.flatnonzero((log.iterations.line >= edges[chosen - 1]) & (log.iterations.line < edges[chosen]))
    times, steps = log.times[rows], log.iterations.step[rows]
    timed = np.isfinite(times)
    if timed.sum() < 2 or np.any(np.diff(steps) < 0):
        return None
    times, steps = times[timed], steps[timed]
    mine = np.flatnonzero((process == chosen) & (log.restart_times >= times[0]) & (log.restart_times <= times[-1]))
    threads = [log.messages.restarts[i].thread for i in mine]
    return steps_per_epoch(threads, line[mine], log.restart_times[mine], steps, times, _in_test(log, line[mine]))


def _in_test(log: Log, lines: Ints) -> list[bool]:
    """Whether each line stands between the announcement of a test and its results."""
    asked = log.iterations.line[log.iterations.kind == Kind.TEST]
    data = np.sort(np.concatenate((log.iterations.line, log.outputs.line)))
    before = np.searchsorted(data, lines) - 1
    return [bool(b >= 0 and np.isin(data[b], asked)) for b in before]
