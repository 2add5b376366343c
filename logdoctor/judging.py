"""From paths to a report: every analyzer on every run; one that crashes costs only itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from logdoctor.announce import Progress, silent
from logdoctor.diagnosis import Diagnosis, Report, Unread
from logdoctor.finding import CannotJudgeError, Failed, Finding, Ignored, Skipped
from logdoctor.run import Run
from logdoctor.segments import Schedule

if TYPE_CHECKING:
    from logdoctor.analyzers.contract import Analyzer
    from logdoctor.case import Case
    from logdoctor.discover import Found
    from logdoctor.options import Ignore, Options

HELD = 30  # runs that are kept whole; of more than these only what the report shows


def diagnose(paths: str | Path | Sequence[str | Path], **options: Any) -> Report:
    """Read everything under `paths` and judge it.

    `options` are the fields of `logdoctor.options.Options` (`dataset_size=50_000`, `ignore=("plateau",)`, …).
    Errors: LogDoctorError where a path does not exist or an option is unknown.
    """
    from logdoctor.options import Options, merged

    return examine(_strings(paths), merged(Options(), options))


def examine(
    paths: Sequence[str],
    options: Options,
    progress: Progress = silent,
    jobs: int | None = 1,
    finish: Finish | None = None,
) -> Report:
    """`diagnose` with its options checked and a callback told of every file and run.

    `jobs`: processes that judge (None: as many as pay). `finish`: with more than `HELD` runs, applied to each where it
    was judged; what it returns is all that is kept of the run. Without it every number stays at hand.
    """
    from logdoctor.baseline import read_baseline
    from logdoctor.changes import with_changes
    from logdoctor.discover import discover
    from logdoctor.gate import parse_gates
    from logdoctor.relations import relate
    from logdoctor.workers import spread, workers_for

    gates = parse_gates(options.fail_if_worse, options.baseline)
    baseline = None if options.baseline is None else read_baseline(options.baseline)
    now = time.time() if options.now is None else options.now
    analyzers = chosen_analyzers(options)
    found = discover(paths, options.read_limits)
    workers = workers_for(len(found.files), jobs)
    finish = None if finish is None else partial(finish, files=len(found.files))
    judge = partial(_judged, analyzers=analyzers, now=now, ignore=options.ignore)
    runs = _Runs(found, options, progress, finish)
    diagnoses = []
    with closing(spread(judge, runs, _killed, workers)) as judged:
        for said in judged:
            progress(said.run.name)
            diagnoses.append(said)
    if finish is not None and len(diagnoses) > HELD:
        diagnoses[:HELD] = spread(finish, diagnoses[:HELD], lambda diagnosis: diagnosis, workers)
    diagnoses = [_set_aside(d, options.ignore) for d in relate(diagnoses, analyzers)]
    diagnoses.sort(key=_urgency)
    report = Report(tuple(diagnoses), tuple(runs.unread), tuple(sorted(runs.older)))
    return with_changes(report, baseline, gates) if baseline else report


class Finish(Protocol):
    """What is done with a diagnosis while its run is at hand; `files`: how many files the report is about."""

    def __call__(self, diagnosis: Diagnosis, *, files: int) -> Diagnosis: ...


@dataclass(frozen=True)
class _Task:
    """A run to judge, and what to do with it then."""

    run: Run
    finish: Callable[[Diagnosis], Diagnosis] | None


class _Runs:
    """The runs to judge, as they are read; what is not judged is noted."""

    def __init__(
        self, found: Found, options: Options, progress: Progress, finish: Callable[[Diagnosis], Diagnosis] | None
    ) -> None:
        self._source = (found, options, progress)
        self._finish = finish
        self._since = options.since
        self.unread: list[Unread] = []
        self.older: list[str] = []

    def __iter__(self) -> Iterator[_Task]:
        from logdoctor.read import stream_runs

        count = 0
        for each in stream_runs(*self._source):
            if isinstance(each, Unread):
                self.unread.append(each)
            elif self._since is not None and last_seen(each) < self._since:
                self.older.append(each.name)
            else:
                count += 1
                if self._finish and each.attempts == 1:
                    each = replace(each, rows=None)  # where a run was restarted stands in them, and nothing else
                yield _Task(each, self._finish if count > HELD else None)


def _judged(task: _Task, analyzers: Sequence[Analyzer], now: float, ignore: Sequence[Ignore]) -> Diagnosis:
    diagnosis = _set_aside(diagnose_run(task.run, analyzers, now), ignore)
    return task.finish(diagnosis) if task.finish else diagnosis


def _urgency(diagnosis: Diagnosis) -> tuple[int, bool, int, str]:
    """Worst first: by severity, the firm before the tentative, then by how much was found, then by name."""
    doubtful = not any(f.firm for f in diagnosis.findings if f.severity == diagnosis.worst)
    return (-diagnosis.worst, doubtful, -sum(f.severity for f in diagnosis.findings), diagnosis.run.name)


def diagnose_run(run: Run, analyzers: Sequence[Analyzer], now: float) -> Diagnosis:
    """All analyzers on one run. Nothing is raised: what crashes is listed as failed."""
    from logdoctor.case import Case
    from logdoctor.measures import measure, state
    from logdoctor.relations import pace_of

    try:
        case = Case.of(run, now)
        known = Diagnosis(run, case.schedule, state(case), measure(case), flat_spans=case.flat_spans)
        known = replace(known, pace=pace_of(case, analyzers))
    except Exception as error:
        return Diagnosis(run, Schedule(), "unknown", {}, failed=(Failed("measures", _crash(error)),))
    said = [_judge(analyzer, case) for analyzer in analyzers]
    findings = sorted((r for r in said if isinstance(r, Finding)), key=lambda f: (-f.severity, not f.firm))
    skipped = tuple(r for r in said if isinstance(r, Skipped))
    failed = tuple(r for r in said if isinstance(r, Failed))
    return replace(known, findings=tuple(findings), skipped=skipped, failed=failed)


def _killed(task: _Task) -> Diagnosis:
    """What stands for a run whose judging process did not live to the end of it."""
    reason = "the process that judged this run was killed, perhaps for want of memory"
    return Diagnosis(task.run, Schedule(), "unknown", {}, failed=(Failed("measures", reason),))


def _set_aside(diagnosis: Diagnosis, ignore: Sequence[Ignore]) -> Diagnosis:
    """The diagnosis with ignored findings apart from the others; an ignored analyzer neither skips nor fails."""
    name = diagnosis.run.name

    def rule(analyzer: str) -> Ignore | None:
        return next((each for each in ignore if each.covers(analyzer, name)), None)

    ruled = [(finding, rule(finding.analyzer)) for finding in diagnosis.findings]
    return replace(
        diagnosis,
        findings=tuple(finding for finding, found in ruled if found is None),
        ignored=(
            *diagnosis.ignored,
            *(Ignored(finding, found.reason) for finding, found in ruled if found is not None),
        ),
        skipped=tuple(skipped for skipped in diagnosis.skipped if rule(skipped.analyzer) is None),
        failed=tuple(failed for failed in diagnosis.failed if rule(failed.analyzer) is None),
    )


def _crash(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _judge(analyzer: Analyzer, case: Case) -> Finding | Skipped | Failed | None:
    try:
        return analyzer.analyze(case)
    except CannotJudgeError as reason:
        return Skipped(analyzer.name, str(reason))
    except Exception as error:
        return Failed(analyzer.name, _crash(error))


def last_seen(run: Run) -> float:
    """When the run last wrote something: the newest of its wall times and its files' times of change, POSIX seconds."""
    import numpy as np

    times = [float(np.nanmax(c.wall_time)) for c in run.curves if np.isfinite(c.wall_time).any()]
    return max([t for t in (run.closing.modified, *times) if t == t], default=float("inf"))


def all_analyzers() -> tuple[Analyzer, ...]:
    """The built-in analyzers and those installed under the entry point group `logdoctor.analyzers`."""
    from logdoctor.analyzers import ANALYZERS

    return ANALYZERS + tuple(point.load() for point in entry_points(group="logdoctor.analyzers"))


def chosen_analyzers(options: Options) -> list[Analyzer]:
    """All analyzers, with the user's limits. Errors: LogDoctorError for an unknown name, ignored ones too, or limit."""
    from logdoctor.errors import LogDoctorError
    from logdoctor.options import did_you_mean

    analyzers = {analyzer.name: analyzer for analyzer in all_analyzers()}
    for name in (*(each.finding for each in options.ignore), *options.limits):
        if name not in analyzers:
            raise LogDoctorError(f"no analyzer is called {name!r}{did_you_mean(name, analyzers)}")
    return [_limited(analyzer, options.limits.get(name, {})) for name, analyzer in analyzers.items()]


def _limited(analyzer: Analyzer, limits: Mapping[str, float]) -> Analyzer:
    from logdoctor.errors import LogDoctorError
    from logdoctor.options import did_you_mean

    known = [f.name for f in fields(analyzer)] if limits else []  # type: ignore[arg-type]
    for name in limits:
        if name not in known:
            raise LogDoctorError(f"{analyzer.name} has no limit {name!r}{did_you_mean(name, known)}")
    return replace(analyzer, **limits) if limits else analyzer  # type: ignore[type-var]


def _strings(paths: str | Path | Sequence[str | Path]) -> list[str]:
    return [str(paths)] if isinstance(paths, str | Path) else [str(path) for path in paths]
