"""Which run of a former report is which run of this one: by name, by file, and where it was renamed, by its numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from logdoctor.baseline import FormerRun
from logdoctor.run import Run

Either = TypeVar("Either", FormerRun, Run)


@dataclass(frozen=True)
class Pair:
    """A run then and now; `how` says by what they were matched, empty where it is the name."""

    former: FormerRun
    run: Run
    how: str = ""


def matched(former: Sequence[FormerRun], runs: Sequence[Run]) -> list[Pair]:
    """Pairs in the order of `runs`; what several runs of one side share matches none of them."""
    pairs: list[Pair] = []
    for how, keys_then, keys_now in STAGES:
        taken = {id(pair.former) for pair in pairs} | {id(pair.run) for pair in pairs}
        then = _by_key([run for run in former if id(run) not in taken], keys_then)
        now = _by_key([run for run in runs if id(run) not in taken], keys_now)
        for key in [key for key in then if key in now]:
            if not {id(then[key]), id(now[key])} & taken:
                pairs.append(Pair(then[key], now[key], how))
                taken |= {id(then[key]), id(now[key])}
    place = {id(run): index for index, run in enumerate(runs)}
    return sorted(pairs, key=lambda pair: place[id(pair.run)])


def _by_key(runs: Iterable[Either], keys: Callable[[Either], Iterable[Hashable]]) -> dict[Hashable, Either]:
    """Key → run, without keys that several runs have."""
    found: dict[Hashable, list[Either]] = {}
    for run in runs:
        for key in set(keys(run)):
            found.setdefault(key, []).append(run)
    return {key: having[0] for key, having in found.items() if len(having) == 1}


def _ends(name: str) -> list[str]:
    """A name and all it is without its first folders: `a/b/c` → a/b/c, b/c, c."""
    parts = name.split("/")
    return ["/".join(parts[index:]) for index in range(len(parts))]


def _begins_then(run: FormerRun) -> list[Hashable]:
    first = {(series.tag, series.split): series.first for series in run.series if math.isfinite(series.first)}
    return [frozenset(first.items())] if first else []


def _begins_now(run: Run) -> list[Hashable]:
    first = {(curve.tag, curve.split): float(curve.value[0]) for curve in run.curves if len(curve)}
    known = {key: value for key, value in first.items() if math.isfinite(value)}
    return [frozenset(known.items())] if known else []


Stage = tuple[str, Callable[[FormerRun], Iterable[Hashable]], Callable[[Run], Iterable[Hashable]]]
# Ends of names twice: the folder given may have been a higher or a lower one then.
STAGES: tuple[Stage, ...] = (
    ("", lambda run: [run.name], lambda run: [run.name]),
    ("same file", lambda run: run.paths, lambda run: [source.path for source in run.sources]),
    ("same end of the name", lambda run: [run.name], lambda run: _ends(run.name)),
    ("same end of the name", lambda run: _ends(run.name), lambda run: [run.name]),
    ("same first values", _begins_then, _begins_now),
)
