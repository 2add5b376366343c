"""Groups of files → runs: names, facts, axis, curves and the curves judged by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np

from logdoctor.axis import Given, Placed, place
from logdoctor.checkpoints import checkpoints_of
from logdoctor.diagnosis import Unread
from logdoctor.file_names import as_text
from logdoctor.finding import Evidence
from logdoctor.grouping import Group, group
from logdoctor.masking import masked
from logdoctor.reading import Read
from logdoctor.roles import lr_curve, train_curve, val_curve, val_metric_curve
from logdoctor.rows import Ints, Rows, RunRows
from logdoctor.run import Closing, Curve, Run, RunFact, RunProblem, Source
from logdoctor.stitching import Experiment
from logdoctor_parsers.unpack import is_packed

TELLING = ("crashed", "early-stopping", "finished", "stopped", "torn", "open")  # which ending of twins says most


def runs_of(member: Group, name: str, given: Callable[[str], Given], most: float) -> list[Run] | list[Unread]:
    """The runs of one group; if they are more than `most`, or their assembly crashes, its files with the reason."""
    if len(member.experiments) > most:
        count = f"its counters begin anew so often that it would be {len(member.experiments):,} runs"
        way_out = "raise max_runs_per_file in logdoctor.toml; `logdoctor export` writes them all"
        reason = f"{count}; up to {most:,.0f} of one file are judged ({way_out})"
        return [Unread(read.file.name, reason) for read in member.reads]
    try:
        return [_run(member, each, number, name, given(name)) for number, each in enumerate(member.experiments, 1)]
    except Exception as error:
        return [_crashed(read, error) for read in member.reads]


def grouped(reads: Sequence[Read]) -> tuple[list[Group], list[Unread]]:
    """The groups, and the files that cannot be grouped even alone; if the rest fails together, each stands alone."""
    try:
        return group(reads), []
    except Exception:
        alone = [(read, _alone(read)) for read in reads]
    failed = [found for _, found in alone if isinstance(found, Unread)]
    try:
        return group([read for read, found in alone if not isinstance(found, Unread)]), failed
    except Exception:
        return [each for _, found in alone if not isinstance(found, Unread) for each in found], failed


def _alone(read: Read) -> list[Group] | Unread:
    try:
        return group([read])
    except Exception as error:
        return _crashed(read, error)


def _crashed(read: Read, error: Exception) -> Unread:
    reason = f"its numbers were read, but no run could be made of them ({type(error).__name__}: {error})"
    return Unread(read.file.name, f"{reason}; please report this as a bug")


def named_rows(reads: Sequence[Read], root: Path) -> tuple[list[RunRows], list[Unread]]:
    """The numbers alone of the runs that `assemble` makes, under the same names, in the same order."""
    groups, failed = grouped(reads)
    runs = [
        RunRows(_numbered(name, number), experiment.rows, tuple(read.file.name for read in member.reads))
        for member, name in zip(groups, run_names(groups, root), strict=True)
        for number, experiment in enumerate(member.experiments, 1)
    ]
    return runs, failed


def run_names(groups: Sequence[Group], root: Path, taken: Collection[str] = ()) -> list[str]:
    """Paths relative to the folder given, without extension; the extension stays where two would collide.

    `taken`: names that groups of folders below those of these `groups` have.
    """
    full = [_relative(g.place, root) for g in groups]
    short = [path if g.is_folder else _bare(path) for g, path in zip(groups, full, strict=True)]
    count = Counter(as_text(path.as_posix()) for path in short)
    names = [(as_text(path.as_posix()) for path in both) for both in zip(short, full, strict=True)]
    return [name if count[name] == 1 and name not in taken else whole for name, whole in names]


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}#{number}"


def _relative(place: Path, root: Path) -> Path:
    absolute = place.absolute()
    if absolute == root:
        return Path(root.name or "run")
    return absolute.relative_to(root) if absolute.is_relative_to(root) else Path(place.name)


def _bare(path: Path) -> Path:
    return path.with_suffix("").with_suffix("") if is_packed(path) else path.with_suffix("")


def _run(member: Group, experiment: Experiment, number: int, name: str, given: Given) -> Run:
    facts = _facts(member.reads, experiment, given)
    placed = place(experiment.rows, facts, given)
    curves = _curves(experiment, placed, tuple(read.file.name for read in member.reads))
    last = number == len(member.experiments)
    return Run(
        name=_numbered(name, number),
        sources=tuple(_source(read) for read in member.reads),
        axis=placed.axis,
        curves=curves,
        train=train_curve(curves),
        val=val_curve(curves),
        lr=lr_curve(curves),
        val_metric=val_metric_curve(curves),
        facts=facts,
        problems=tuple(_problems(member.reads, given)),
        closing=_closing(member.reads) if last else _cut_off(curves),
        attempts=experiment.attempts,
        receipts=experiment.receipts,
        checkpoints=checkpoints_of(member.reads, member.experiments, experiment.rows, placed),
        rows=experiment.rows,
    )


def _facts(reads: Sequence[Read], experiment: Experiment, given: Given) -> dict[str, RunFact]:
    """Facts of this experiment: of facts stated again, the last before its end counts; the user's word wins."""
    facts: dict[str, RunFact] = {}
    last = {i: experiment.rows.line[experiment.rows.source == i].max(initial=0) for i in range(len(reads))}
    for i, read in enumerate(reads):
        for fact in read.log.facts:
            if fact.name not in facts or fact.line <= last[i]:
                value = masked(fact.value) if isinstance(fact.value, str) else fact.value
                facts[fact.name] = RunFact(value, read.file.name, fact.line)
    for name in ("dataset_size", "batch_size", "steps_per_epoch", "augmentation_factor"):
        if (value := getattr(given, name)) is not None:
            facts[name] = RunFact(value, f"--{name.replace('_', '-')}", 0)
    return facts


def _problems(reads: Sequence[Read], given: Given) -> list[RunProblem]:
    found = [RunProblem(read.file.name, p.line, masked(p.message)) for read in reads for p in read.log.problems]
    for read in reads:
        for fact in read.log.facts:
            wanted = getattr(given, fact.name, None)
            if wanted is not None and wanted != fact.value:
                option = f"--{fact.name.replace('_', '-')} {wanted:g}"
                found.append(RunProblem(read.file.name, fact.line, f"{option} is used, but the log says {fact.value}"))
    return found


def _source(read: Read) -> Source:
    log = read.log
    return Source(read.file.name, log.format, log.lines, log.data, log.unreadable, log.dialect)


def _closing(reads: Sequence[Read]) -> Closing:
    """How the last file ends; of twins the one that says most."""
    latest = min(reversed(reads), key=lambda read: TELLING.index(read.log.ending.kind))
    ending = latest.log.ending
    modified = max((read.modified for read in reads), default=float("nan"))
    tail = tuple(masked(line) for line in latest.log.tail)
    return Closing(ending.kind, Evidence(latest.file.name, ending.line), masked(ending.message), tail, modified)


def _cut_off(curves: Sequence[Curve]) -> Closing:
    """An experiment that another one follows in the same file just stops."""
    end = max(curves, key=lambda c: int(c.line[-1]))
    return Closing("open", end.evidence(-1), "another run follows in the same file", followed=True)


def _curves(experiment: Experiment, placed: Placed, sources: tuple[str, ...]) -> tuple[Curve, ...]:
    rows = experiment.rows
    by_series = enumerate(zip(rows.series, rows.by_series(), strict=True))
    return tuple(
        _curve(rows, index, placed, sources, series.tag, series.metric, series.split, experiment.dropped.get(code, 0))
        for code, (series, index) in by_series
        if len(index)
    )


def _curve(
    rows: Rows,
    index: Ints,
    placed: Placed,
    sources: tuple[str, ...],
    tag: str,
    metric: str,
    split: str,
    overlapping: int,
) -> Curve:
    index = index[np.argsort(placed.x[index], kind="stable")]
    return Curve(
        tag, metric, split, placed.x[index], rows.value[index], placed.step[index], rows.wall_time[index],
        rows.source[index], rows.line[index], sources, overlapping,
    )  # fmt: skip
