"""Which files make one run: event files of one directory, parts of a resumed log, twins that tell the same numbers."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from logdoctor.counter_columns import prepare
from logdoctor.reading import Read
from logdoctor.rows import Floats, Ints, Rows, concat, constant, from_table
from logdoctor.stitching import Experiment, counters, stitch
from logdoctor_parsers import Series
from logdoctor_parsers.csv_table import MLFLOW
from logdoctor_parsers.json_lines import ONE_EPOCH
from logdoctor_parsers.names import SPLITS

EVENTS = "tensorboard"
TWIN_POINTS = 5  # numbers: fewer equal ones may be chance
TWIN_SHARE = 0.95  # share of compared numbers that must be equal
TWIN_RELATIVE, TWIN_ABSOLUTE = 2e-3, 6e-5  # logs print 4 significant digits or 4 decimals of the same number
_PART = re.compile(
    r"(?<=.)(?:[_.\-]?(?:resumed?|restart(?:ed)?|cont(?:inued?)?|part)[_.\-]?\d*"  # train_resume, run.part2
    r"|[_.\-]\d{1,3}"  # metrics_1, train.1
    r"|[_.\-]?\d{4}-?\d{2}-?\d{2}(?:[_T\-]?\d{2}[-:]?\d{2}(?:[-:]?\d{2})?)?)$"  # run_2024-03-01_120000
)
_SUFFIX = re.compile(r"\.(?:log|txt|out|csv|tsv|jsonl?|gz|zst|err|md)$", re.IGNORECASE)


@dataclass(frozen=True)
class Group:
    """Files that make one run, or several when there is more than one of `experiments`.

    `place` names it: the first file, or (`is_folder`) the directory of event files.
    """

    reads: tuple[Read, ...]
    place: Path
    is_folder: bool
    experiments: tuple[Experiment, ...]

    @property
    def folder(self) -> Path:
        """The directory its files lie in."""
        return self.place if self.is_folder else self.place.parent


def group(reads: Sequence[Read]) -> list[Group]:
    """Files → groups, in the order of their first file."""
    events = [read for read in reads if _is_one_of_a_folder(read)]
    others = [read for read in reads if not _is_one_of_a_folder(read)]
    groups = [*_event_groups(events), *_part_groups(others)]
    return sorted(_merge_twins(groups), key=lambda g: str(g.place))


def _is_one_of_a_folder(read: Read) -> bool:
    """Whether a file tells only part of what the run in its folder logged: events, one metric, one epoch."""
    return read.log.format == EVENTS or read.log.dialect in (MLFLOW, ONE_EPOCH)


def _event_groups(reads: Iterable[Read]) -> list[Group]:
    folders: dict[Path, list[tuple[Read, Rows]]] = {}
    for read in reads:
        folder, table = _owner(read)
        folders.setdefault(folder, []).append((read, table))
    return [_folder_group(folder, members) for folder, members in folders.items()]


def _owner(read: Read) -> tuple[Path, Rows]:
    """The directory whose run an event file belongs to, and its rows with the split its own directory names."""
    folder, rows = read.file.path.parent, from_table(read.log.table)
    if read.log.dialect == MLFLOW:
        return next(parent for parent in read.file.path.parents if parent.name == "metrics").parent, rows
    split = SPLITS.get(folder.name.lower())
    if split and len(folder.name) > 2:
        series = tuple(
            replace(s, split=split) if not s.split and s.metric not in ("lr", "epoch") else s for s in rows.series
        )
        return folder.parent, replace(rows, series=series)
    tags = {s.tag for s in rows.series}
    if len(tags) == 1 and folder.name.startswith(prefix := f"{next(iter(tags)).replace('/', '_')}_"):
        key = folder.name[len(prefix) :]
        mine = rows.series[0]
        series = (Series(f"{mine.tag}/{key}", mine.metric, SPLITS.get(key.lower(), mine.split)),)
        return folder.parent, replace(rows, series=series)
    return folder, rows


def owner_folder(read: Read) -> Path:
    """The folder that a file belongs to: its own, or that of the run of which it tells a part."""
    return _owner(read)[0] if _is_one_of_a_folder(read) else read.file.path.parent


def _folder_group(folder: Path, members: list[tuple[Read, Rows]]) -> Group:
    members.sort(key=lambda member: (_began(member[1]), member[0].file.name))
    rows = prepare(concat([replace(rows, source=constant(i, len(rows))) for i, (_, rows) in enumerate(members)]))
    starts = [row for i, (read, _) in enumerate(members) for row in _start_rows(rows, i, read)]
    return Group(tuple(read for read, _ in members), folder, True, tuple(stitch(rows, starts)))


def _began(rows: Rows) -> float:
    first = float(np.fmin.reduce(rows.wall_time, initial=np.nan))
    if not np.isfinite(first):
        first = rows.wall_time.min(initial=np.inf, where=np.isfinite(rows.wall_time))
    return first if np.isfinite(first) else _first(rows.labels)


def _start_rows(rows: Rows, source: int, read: Read) -> list[int]:
    """Row indices at which the log says a process began."""
    if not read.log.starts:
        return []
    low, high = bisect_left(rows.source, source), bisect_right(rows.source, source)
    at = np.searchsorted(rows.line[low:high], np.array(read.log.starts, np.int64)) + low
    return [row for row in at.tolist() if row < high]


def _part_groups(reads: Iterable[Read]) -> list[Group]:
    """Text files: each its own group, but parts of one resumed log together."""
    stems: dict[tuple[Path, str, str], list[Read]] = {}
    for read in reads:
        key = (read.file.path.parent, stem(read.file.path.name), read.log.format)
        stems.setdefault(key, []).append(read)
    return [group for members in stems.values() for group in _chain(members)]


def stem(name: str) -> str:
    """A file name without extensions, numbers of parts, dates and words such as `_resume`."""
    before = ""
    while name != before:
        before = name
        for ending in (_SUFFIX, _PART):
            name = ending.sub("", name) or name
    return name


def _chain(members: Sequence[Read]) -> list[Group]:
    """Reads of one stem → groups: a file joins the one whose counters it continues."""
    chains: list[list[Read]] = []
    for read in _in_order(members):
        home = next((chain for chain in chains if _continues(chain[-1], read)), None)
        if home is None:
            chains.append([read])
        else:
            home.append(read)
    return [_text_group(chain) for chain in chains]


def _in_order(members: Sequence[Read]) -> list[Read]:
    """By where they begin: by epochs if all have them, else by steps; then by name."""
    if len(members) == 1:
        return list(members)
    tables = [from_table(read.log.table) for read in members]
    epochs, steps = [_first(t.labels) for t in tables], [_first(t.step) for t in tables]
    begins = epochs if np.isfinite(epochs).all() else steps
    order = sorted(range(len(members)), key=lambda i: (begins[i], members[i].file.name))
    return [members[i] for i in order]


def _first(column: Floats) -> float:
    return float(np.min(column, initial=np.inf, where=np.isfinite(column)))


def _continues(earlier: Read, later: Read) -> bool:
    """Whether `later` begins inside `earlier` or at its next step, and not where that began."""
    rows = concat([from_table(earlier.log.table, 0), from_table(later.log.table, 1)])
    positions = counters(rows)
    for index in sorted(rows.by_series(), key=len, reverse=True):
        old, new = (positions[index[rows.source[index] == source]] for source in (0, 1))
        if len(old) > 1 and len(new) and np.isfinite(old).all() and np.isfinite(new).all():
            interval = float(np.median(np.abs(np.diff(old))))
            return bool(old[0] + 2 * interval < new[0] <= old[-1] + 1.5 * interval and new[-1] > old[-1])
    return False


def _text_group(chain: Sequence[Read]) -> Group:
    rows = prepare(concat([from_table(read.log.table, i) for i, read in enumerate(chain)]))
    boundaries = np.flatnonzero(np.diff(rows.source)) + 1
    starts = [int(row) for row in boundaries] + [
        row for i, read in enumerate(chain) for row in _start_rows(rows, i, read)
    ]
    return Group(tuple(chain), chain[0].file.path, False, tuple(stitch(rows, starts)))


def _merge_twins(groups: Sequence[Group]) -> list[Group]:
    """Groups of one folder (or a folder below it) that tell the same numbers become one."""
    merged: list[Group] = []
    neighbours = _Neighbours()
    for candidate in groups:
        twin = next((i for i in neighbours.of(candidate.folder) if twins(merged[i], candidate)), None)
        if twin is None:
            twin = len(merged)
            merged.append(candidate)
        else:
            merged[twin] = _merge(merged[twin], candidate)
        neighbours.add(twin, merged[twin].folder)
    return merged


class _Neighbours:
    """Numbers of groups by folder, so that only those of one folder, or of one below the other, are compared."""

    def __init__(self) -> None:
        self._in: dict[tuple[str, ...], set[int]] = defaultdict(set)
        self._below: dict[tuple[str, ...], set[int]] = defaultdict(set)

    def add(self, number: int, folder: Path) -> None:
        parts = folder.parts
        self._in[parts].add(number)
        for depth in range(len(parts)):
            self._below[parts[:depth]].add(number)

    def of(self, folder: Path) -> list[int]:
        """Those in the folder, above and below it, in ascending order."""
        parts = folder.parts
        above = (self._in.get(parts[:depth], ()) for depth in range(len(parts)))
        return sorted(self._in.get(parts, set()).union(self._below.get(parts, ()), *above))


def twins(a: Group, b: Group) -> bool:
    """Whether two groups, one of them above or beside the other, tell the same numbers."""
    return (
        (a.folder == b.folder or a.is_folder or b.is_folder)
        and len(a.experiments) == len(b.experiments) == 1
        and same_numbers(a.experiments[0].rows, b.experiments[0].rows)
    )


def same_numbers(a: Rows, b: Rows) -> bool:
    """Whether the shared series of two logs have equal values at equal steps (or in equal order)."""
    mine, theirs = _largest_by_metric(a), _largest_by_metric(b)
    paired = {key: _paired(a, mine[key], b, theirs[key]) for key in mine if key in theirs}
    rates = paired.pop(("lr", "train"), None)  # equal rates prove nothing, different ones do
    pairs = [pair for pair in paired.values() if pair is not None]
    if not pairs or (rates is not None and _share_equal(*rates) < TWIN_SHARE):
        return False
    x, y = (np.concatenate(side) for side in zip(*pairs, strict=True))
    told = x[np.isfinite(x)]
    # A run of NaN tells few numbers but where they end; one of nothing else must at least agree in its rate.
    wanted = TWIN_POINTS if len(told) == len(x) else int(len(told) > 0 or rates is None)
    varied = len(np.unique(np.round(told / (10 * TWIN_ABSOLUTE)))) >= wanted
    return len(x) >= TWIN_POINTS and varied and _share_equal(x, y) >= TWIN_SHARE


def _share_equal(x: Floats, y: Floats) -> float:
    return float(np.mean(np.isclose(x, y, rtol=TWIN_RELATIVE, atol=TWIN_ABSOLUTE, equal_nan=True)))


def _largest_by_metric(rows: Rows) -> dict[tuple[str, str], Ints]:
    found: dict[tuple[str, str], Ints] = {}
    for series, index in zip(rows.series, rows.by_series(), strict=True):
        split = series.split or "train"
        key = (series.metric, "val" if split == "test" else split)
        if series.metric != "epoch" and len(index) > len(found.get(key, ())):
            found[key] = index
    return found


def _paired(a: Rows, i: Ints, b: Rows, j: Ints) -> tuple[Floats, Floats] | None:
    """Values that tell the same moment: in order where there are equally many, else at equal steps."""
    if len(i) == len(j):
        return a.value[i], b.value[j]
    if not (np.isfinite(a.step[i]).all() and np.isfinite(b.step[j]).all()):
        return None
    _, at, to = np.intersect1d(a.step[i], b.step[j], return_indices=True)
    return (a.value[i[at]], b.value[j[to]]) if len(at) >= 0.5 * min(len(i), len(j)) else None


def _merge(a: Group, b: Group) -> Group:
    """The telling with steps and more numbers is kept whole; of the other only the series that it lacks."""
    first, second = sorted((a, b), key=_detail, reverse=True)
    main, extra = first.experiments[0], second.experiments[0]
    has = {(s.metric, s.split or "train") for s in main.rows.series}
    new = [c for c, s in enumerate(extra.rows.series) if (s.metric, s.split or "train") not in has]
    added = extra.rows.take(np.isin(extra.rows.code, new))
    moved = replace(added, source=added.source + len(first.reads))
    joined = replace(
        main,
        rows=concat([main.rows, moved]),
        attempts=max(main.attempts, extra.attempts),
        receipts=main.receipts or extra.receipts,
    )
    place = min(first, second, key=lambda g: (not g.is_folder, str(g.place)))
    return Group((*first.reads, *second.reads), place.place, place.is_folder, (joined,))


def _detail(candidate: Group) -> tuple[bool, int, int]:
    rows = candidate.experiments[0].rows
    return bool(np.isfinite(rows.step).any()), len(rows.series), len(rows)
