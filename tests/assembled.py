"""The runs of files that are read all at once: what the product makes of them one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from logdoctor.assemble import grouped, run_names, runs_of
from logdoctor.axis import Given
from logdoctor.diagnosis import Unread
from logdoctor.reading import Read
from logdoctor.run import Run

MOST = 100  # runs of one file


def assemble(reads: Sequence[Read], root: Path) -> tuple[list[Run], list[Unread]]:
    """All files read → runs, in the order of their groups, and the files that gave none."""
    groups, failed = grouped(reads)
    named = zip(groups, run_names(groups, root), strict=True)
    made = [each for one, name in named for each in runs_of(one, name, lambda _: Given(), MOST)]
    runs = [each for each in made if isinstance(each, Run)]
    return runs, failed + [each for each in made if isinstance(each, Unread)]
