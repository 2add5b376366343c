"""The page of the finding that needs two runs and is made by `logdoctor compare`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class LateOvertaker:
    """Between runs: the one that was behind early is ahead at the end, or about to be.

    What it says
        Which run led over the first quarter that both have, which leads at the end, where the lead changed hands for
        the last time, with an interval; or where the one behind will pass if the gap goes on closing as it does.

    Why it matters
        Deep nets often look slower in the evening and win by the morning: killing the run that is behind after ten
        epochs would have killed the better one.

    How it decides
        `logdoctor compare A B` (not `report`) reads both curves at the points of the sparser one, validation where
        there is one. Clearly ahead is a median lead of more than 2.5 σ of the scatter of the difference and of 2 % of
        the height of both curves. The crossing is where the smoothed lead changes its sign for the last time; its
        interval reaches from where the other was last ahead by the scatter to where the new leader first was. A
        crossing to come needs a gap that closes by 4 standard errors over the last third, and lately too; a straight
        line gives its earliest place, an exponential approach its latest.

    Limits
        None to set. A crossing farther ahead than half of what both runs have done is not foretold.

    What fools it
        Runs on different data or with different losses. A drop of the rate in one that the other has yet to make: the
        comparison is then of schedules. Two seeds of one setting that happen to differ.

    Reference
        Domhan, Springenberg, Hutter 2015, "Speeding up automatic hyperparameter optimization of deep neural networks
        by extrapolation of learning curves": why early curves mislead.
    """

    name: ClassVar[str] = "late-overtaker"
