"""Runs that differ in nothing but their seed, as far as their names say so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from logdoctor.run import Floats

_SEED = re.compile(r"(?<![a-z])(seed|rep|repeat|repetition|replicate|trial)([-_=. ]?)\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Seeds:
    """Runs of one setting: its name with `*` for the seed, its runs, mean and standard deviation of their best values.

    `at_marks`: the same of the best so far at each mark, shape (marks, 2), NaN where a run did not get so far.
    """

    name: str
    runs: tuple[str, ...]
    best: float
    spread: float
    at_marks: Floats


def setting(name: str) -> str:
    """A run's name without the number of its seed: `resnet_seed3` → `resnet_seed*`."""
    return _SEED.sub(r"\1\2*", name)


def seeds_of(names: Sequence[str]) -> list[list[int]]:
    """Indices of the runs of each setting that has at least two and names a seed."""
    groups: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        groups.setdefault(setting(name), []).append(index)
    return [indices for indices in groups.values() if len(indices) > 1]


def summarise(names: Sequence[str], best: Floats, at_marks: Floats) -> Seeds:
    """Mean and spread of the runs of one setting; `best` of shape (runs,), `at_marks` of shape (runs, marks)."""
    columns = np.column_stack((at_marks.mean(axis=0), at_marks.std(axis=0, ddof=1)))
    return Seeds(setting(names[0]), tuple(names), float(best.mean()), float(best.std(ddof=1)), columns)
