"""What a comparison says, in sentences, and short names for the runs it speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from logdoctor.case import amount
from logdoctor.curves.crossing import Contest, Crossing
from logdoctor.tracks import Track

PLACES = {"epoch": "epoch", "step": "step", "hour": "hour", "index": "value"}


@dataclass(frozen=True)
class Verdict:
    """Who was clearly ahead early and at the end (0 the first, 1 the second, None nobody), and where that changed."""

    early: int | None
    end: int | None
    crossing: Crossing | None
    expected: Crossing | None

    @classmethod
    def of(cls, contest: Contest) -> Verdict:
        """The verdict on two curves at the x both have."""
        early, end = (_index(contest.leader(part)) for part in (contest.early, contest.end))
        return cls(early, end, contest.last_crossing(), contest.expected_crossing())


def _index(sign: int) -> int | None:
    return {1: 0, -1: 1}.get(sign)


def short_names(names: Sequence[str]) -> list[str]:
    """Each name without the leading parts of its path that all share, and without trailing ones it can do without."""
    parts = [name.split("/") for name in names]
    while min(map(len, parts), default=0) > 1 and len({part[0] for part in parts}) == 1:
        parts = [part[1:] for part in parts]
    return ["/".join(_shortest(index, parts)) for index in range(len(parts))]


def _shortest(index: int, parts: Sequence[list[str]]) -> list[str]:
    """The first parts of a path that no other path begins with; the whole path where another one goes on from it."""
    mine = parts[index]
    others = [other for place, other in enumerate(parts) if place != index]
    lengths = (n for n in range(1, len(mine)) if not any(other[:n] == mine[:n] for other in others))
    return mine[: next(lengths, len(mine))]


def place(x: float, unit: str) -> str:
    """A position on the shared axis: `epoch 19`, `hour 3.2`."""
    return f"{PLACES[unit]} {position(x, unit)}"


def position(x: float, unit: str) -> str:
    """A position without its unit; hours to three digits, for a run may take minutes."""
    return f"{x:.3g}" if unit == "hour" else amount(x)


def interval(crossing: Crossing, unit: str) -> str:
    """A crossing with its interval: `epoch 19 (17–21)`."""
    return f"{place(crossing.at, unit)} ({position(crossing.low, unit)}–{position(crossing.high, unit)})"


def describe(verdict: Verdict, contest: Contest, tracks: tuple[Track, Track], names: Sequence[str], unit: str) -> str:
    """The verdict on one series of two runs, with the levels it rests on."""
    last = len(contest) - 1
    what = f"{tracks[0].name}: "
    if len(contest) < 4:
        points = f"{len(contest)} point{'s' * (len(contest) > 1)}"
        return what + f"{' and '.join(names)} have only {points} in common; no leader can be named"
    said = [_course(verdict, _At(contest, tracks, names, unit))]
    if verdict.expected is not None and verdict.end is not None:
        behind = names[1 - verdict.end]
        said.append(f"{behind} is catching up: at its present rate it passes about {interval(verdict.expected, unit)}")
    longer = _went_on(float(contest.x[last]), tracks, names, unit)
    return what + "; ".join([*said, *([longer] if longer else [])])


@dataclass(frozen=True)
class _At:
    """Levels of both runs in words, the one named first first."""

    contest: Contest
    tracks: tuple[Track, Track]
    names: Sequence[str]
    unit: str

    def levels(self, index: int, leader: int) -> str:
        """`0.21 against 0.43 at epoch 40`."""
        values = (self.contest.first[index], self.contest.second[index])
        shown = [track.shown(float(value)) for track, value in zip(self.tracks, values, strict=True)]
        ours, theirs = shown[leader], shown[1 - leader]
        return f"{ours} against {theirs} at {place(float(self.contest.x[index]), self.unit)}"

    def early(self, leader: int) -> str:
        """The levels at the last point of the first quarter where the leader was ahead."""
        return self.levels(self._ahead(self.contest.early, leader), leader)

    def end(self, leader: int) -> str:
        """The same for the end."""
        return self.levels(self._ahead(self.contest.end, leader), leader)

    def _ahead(self, part: slice, leader: int) -> int:
        lead = self.contest.lead[part] * (1, -1)[leader]
        return int(part.start) + int(np.flatnonzero(lead > 0)[-1])


def _course(verdict: Verdict, at: _At) -> str:
    """How the lead went, from the first quarter to the end."""
    early, end, crossing = verdict.early, verdict.end, verdict.crossing
    both = " and ".join(at.names)
    if end is None:
        if early is None:
            return f"no clear leader among {both} ({at.levels(-1, 0)}: within the scatter, or too little to matter)"
        name = at.names[early]
        before, after = at.early(early), at.levels(-1, early)
        return f"{name} was ahead of {at.names[1 - early]} early ({before}), at the end nobody clearly ({after})"
    name, other, levels = at.names[end], at.names[1 - end], at.end(end)
    if early == end:
        between = f", though behind until {interval(crossing, at.unit)}" if crossing else ""
        return f"{name} was ahead of {other} early and at the end{between} ({levels})"
    passed = f"passed at {interval(crossing, at.unit)} and was ahead" if crossing else "was ahead"
    if early is None:
        return f"{both} were level early; {name} {passed} at the end ({levels})"
    return f"{other} was ahead early ({at.early(early)}), {name} {passed} at the end ({levels})"


def _went_on(end: float, tracks: tuple[Track, Track], names: Sequence[str], unit: str) -> str:
    """How far the longer run came after the common range, where that is noticeably farther."""
    ends = [float(track.x[-1]) for track in tracks]
    longer = ends.index(max(ends))
    if ends[longer] - end <= 0.05 * ends[longer]:
        return ""
    track = tracks[longer]
    return f"{names[longer]} went on to {place(ends[longer], unit)} and came to {track.shown(float(track.y[-1]))}"
