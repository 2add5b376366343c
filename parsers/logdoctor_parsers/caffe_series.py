"""Rows of a Caffe log → series: which iteration an output belongs to, what it is called, which loss is the run's.

The train loss of a run is the smoothed one, `Iteration N, loss` (tag `loss`, metric `loss`): Caffe's mean over the last
`average_loss` iterations. `Train net output` lines show the last mini-batch alone and get metrics of their own
(`batch_loss` for an output called loss). Where there is no smoothed loss, or where its running mean is damaged, the
weighted sum of the outputs takes its place as metric `loss`; the damaged one is then called `loss_corrupt`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from logdoctor_parsers.caffe_lines import Kind, Label
from logdoctor_parsers.caffe_log import Log
from logdoctor_parsers.caffe_mean import damaged_at
from logdoctor_parsers.contract import Floats, Ints, Problem
from logdoctor_parsers.names import METRICS, canonical
from logdoctor_parsers.table_builder import TableBuilder

KNOWN = frozenset(METRICS.values())
UNSTATED_WINDOW = 100  # iterations; average_loss where the log holds no parameters, larger than most in use


@dataclass(frozen=True)
class _Series:
    """One output's rows in `Log.outputs` and the rows of `Log.iterations` they belong to."""

    label: Label
    rows: Ints
    owners: Ints


def add_rows(builder: TableBuilder, log: Log) -> list[Problem]:
    """Put a log's series into the table; returns what a report must mention."""
    problems = _add_train(builder, log, *_owned(log, "train", Kind.LOSS))
    tests, orphans = _owned(log, "test", Kind.TEST)
    _add_tests(builder, log, tests)
    _add_iterations(builder, log, "lr", Kind.LR, "lr", "")
    return problems + _orphaned(orphans)


def _owned(log: Log, phase: str, kind: Kind) -> tuple[list[_Series], Ints]:
    """The outputs of a phase with the last iteration line of a kind before each; and the lines of those without one."""
    asked = np.flatnonzero(log.iterations.kind == kind)
    before = np.searchsorted(log.iterations.line[asked], log.outputs.line) - 1
    mine = np.isin(log.outputs.label, [i for i, label in enumerate(log.labels) if label.phase == phase])
    series = []
    for code in np.unique(log.outputs.label[mine & (before >= 0)]):
        rows = np.flatnonzero((log.outputs.label == code) & (before >= 0))
        series.append(_Series(log.labels[code], rows, asked[before[rows]]))
    return series, log.outputs.line[mine & (before < 0)]


def _orphaned(lines: Ints) -> list[Problem]:
    if not len(lines):
        return []
    first, last = int(lines[0]), int(lines[-1])
    place = f"lines {first} to {last}" if last > first else f"line {first}"
    message = f"{len(lines)} net outputs ({place}) before any iteration they could belong to are left out"
    return [Problem(first, message)]


def _add_iterations(builder: TableBuilder, log: Log, tag: str, kind: Kind, metric: str, split: str) -> None:
    mine = log.iterations.kind == kind
    rows = log.iterations.take(mine)
    builder.extend(
        tag, rows.value, rows.line, step=rows.step, epoch=rows.epoch, wall_time=log.times[mine],
        metric=metric, split=split,
    )  # fmt: skip


def _add_output(builder: TableBuilder, log: Log, series: _Series, tag: str, metric: str, split: str) -> None:
    rows, owners = series.rows, series.owners
    builder.extend(
        tag, log.outputs.value[rows], log.outputs.line[rows], step=log.iterations.step[owners],
        epoch=log.iterations.epoch[owners], wall_time=log.output_times[rows], metric=metric, split=split,
    )  # fmt: skip


def _add_train(builder: TableBuilder, log: Log, series: list[_Series], orphans: Ints) -> list[Problem]:
    """The smoothed loss, the outputs, and their weighted sum where it has to stand in."""
    problem = _damage(log, series)
    stands_in = problem is not None
    _add_iterations(builder, log, "loss", Kind.LOSS, "loss_corrupt" if stands_in else "loss", "train")
    for one, (tag, metric) in zip(series, _names(series, None), strict=True):
        tag = f"Train net output #{one.label.number}: {tag}" if one.label.name == "loss" else tag
        _add_output(builder, log, one, tag, "batch_loss" if metric == "loss" else metric, "train")
    if stands_in:
        _add_sum(builder, log, [one for one in series if one.label.weight is not None], "Train", "", "train")
    return _orphaned(orphans) + ([problem] if problem else [])


def _add_tests(builder: TableBuilder, log: Log, series: list[_Series]) -> None:
    """Test outputs net by net; those of further nets, and of nets tested on train data, get metrics of their own."""
    stages, plain_seen = log.messages.stages, False
    nets = np.unique(log.iterations.net[log.iterations.kind == Kind.TEST])
    for net in nets.tolist():
        mine = [_of_net(log, one, net) for one in series]
        mine = [one for one in mine if len(one.rows)]
        on_train = net < len(stages) and "train" in stages[net].lower()
        suffix = " on train data" if on_train else f" #{net}" if plain_seen else ""
        plain_seen |= not on_train
        split = "train" if on_train else "test"
        main = _main_loss([one.label for one in mine])
        for one, (tag, metric) in zip(mine, _names(mine, main), strict=True):
            numbered = f"{tag} (#{net})" if len(nets) > 1 else tag
            _add_output(builder, log, one, numbered, metric + suffix, split)
        weighted = [one for one in mine if one.label.weight is not None]
        if main is None and weighted:
            _add_sum(builder, log, weighted, "Test", suffix, split)


def _of_net(log: Log, series: _Series, net: int) -> _Series:
    mine = log.iterations.net[series.owners] == net
    return _Series(series.label, series.rows[mine], series.owners[mine])


def _tag(series: _Series, among: Sequence[_Series]) -> str:
    """The name as logged, with its number where a vector output repeats one name at the same iteration."""
    twins = [one for one in among if one.label.name == series.label.name and one is not series]
    repeated = any(np.intersect1d(one.owners, series.owners).size for one in twins)
    return f"{series.label.name} #{series.label.number}" if repeated else series.label.name


def _main_loss(labels: Sequence[Label]) -> Label | None:
    """The loss to judge by: the one called loss, else the only one, else that of largest weight (GoogLeNet's last)."""
    weighted = [label for label in labels if label.weight is not None]
    named = [label for label in weighted or labels if canonical(label.name).metric == "loss"]
    named = named or [label for label in labels if canonical(label.name).metric == "loss"]
    if named:
        return named[0]
    ranked = sorted(weighted, key=lambda label: -(label.weight or 0.0))
    if len(ranked) == 1 or (len(ranked) > 1 and (ranked[0].weight or 0.0) > (ranked[1].weight or 0.0)):
        return ranked[0]
    return None


def _names(series: Sequence[_Series], main: Label | None) -> list[tuple[str, str]]:
    """Tag and metric of each output. One is `loss`, one `accuracy`: side heads (`loss1/top-1`) tell their branch."""
    branch = main.name.rpartition("/")[0] if main else ""
    metrics: dict[str, str] = {}
    if main:
        metrics[next(_tag(one, series) for one in series if one.label is main)] = "loss"
    for one in series:
        tag = _tag(one, series)
        metric = _metric(one.label.name, branch)
        metrics.setdefault(tag, f"{metric} ({tag})" if metric in metrics.values() else metric)
    return [(tag, metrics[tag]) for tag in (_tag(one, series) for one in series)]


def _metric(name: str, main_branch: str) -> str:
    """What an output measures, from its whole name or from its last part with the branch it hangs on."""
    if name.startswith("class"):
        return f"class_ap ({name.removeprefix('class').removeprefix(' AP').strip()})"
    if name.startswith("Test score"):
        name = name.partition(": ")[2] or name.removeprefix("Test ")
    whole = canonical(name).metric
    branch, _, leaf = name.rpartition("/")
    if whole in KNOWN or not branch:
        return whole
    metric = canonical(leaf).metric
    if metric not in KNOWN:
        return name
    return metric if branch == main_branch else f"{metric} ({branch})"


def _add_sum(builder: TableBuilder, log: Log, series: Sequence[_Series], phase: str, suffix: str, split: str) -> None:
    """Σ weight × output at each iteration, at the line of its first output."""
    owners, value, line = _weighted_sum(log, series)
    first = np.searchsorted(log.outputs.line, line)
    builder.extend(
        f"weighted sum of {phase} net outputs{suffix}", value, line, step=log.iterations.step[owners],
        epoch=log.iterations.epoch[owners], wall_time=log.output_times[first], metric=f"loss{suffix}", split=split,
    )  # fmt: skip


def _weighted_sum(log: Log, series: Sequence[_Series]) -> tuple[Ints, Floats, Ints]:
    """Rows of `Log.iterations` that have outputs, Σ weight × output, and the first output's line, shape (n,) each."""
    rows = np.concatenate([one.rows for one in series])
    owners = np.concatenate([one.owners for one in series])
    parts = np.concatenate([(one.label.weight or 0.0) * log.outputs.value[one.rows] for one in series])
    found, inverse = np.unique(owners, return_inverse=True)
    line = np.full(len(found), np.iinfo(np.int64).max)
    np.minimum.at(line, inverse, log.outputs.line[rows])
    return found, np.bincount(inverse, parts, len(found)).astype(np.float64), line


def _damage(log: Log, series: Sequence[_Series]) -> Problem | None:
    """The problem that tells of a damaged smoothed loss, looked for in each process of the file."""
    weighted = [one for one in series if one.label.weight is not None]
    if not weighted:
        return None
    owners, batch, _ = _weighted_sum(log, weighted)
    line, step, mean = (column[owners] for column in (log.iterations.line, log.iterations.step, log.iterations.value))
    stated = [fact.value for fact in log.messages.facts if fact.name == "average_loss"]
    window = max([value for value in stated if isinstance(value, int | float)], default=UNSTATED_WINDOW)
    process = np.searchsorted(log.messages.starts, line, side="right")
    for number in np.unique(process):
        mine = process == number
        at = damaged_at(step[mine], mean[mine], batch[mine], window)
        if at is not None:
            return Problem(
                int(line[mine][at]),
                f"the smoothed loss never recovers from {mean[mine][at]:g} (Caffe's running mean keeps what a spike or "
                "NaN leaves in it); the weighted sum of the net outputs is used instead",
            )
    return None
