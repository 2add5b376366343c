"""Curves to judge by that the user names: `[roles]` of the settings, over what `roles` would choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from logdoctor.errors import LogDoctorError
from logdoctor.options import did_you_mean
from logdoctor.roles import finest
from logdoctor.run import Curve, Run

# Where a tag tells several curves, the data that a role means, nearest first.
SPLITS = {
    "train": ("train", "", "val", "test"),
    "val": ("val", "test", "", "train"),
    "val_metric": ("val", "test", "", "train"),
    "lr": ("", "train", "val", "test"),
}
SHOWN_TAGS = 20


class Roles:
    """The roles a user gave, applied to one run after the other."""

    def __init__(self, roles: Mapping[str, tuple[str, ...]]) -> None:
        self._roles = roles
        self._missing = set(roles)
        self._tags: set[str] = set()
        self._asked = False

    def applied(self, run: Run) -> Run:
        """The run, judged by the first tag of each role that it has; a receipt says so."""
        self._asked = True
        if self._missing:
            self._tags |= {curve.tag for curve in run.curves}
        self._missing -= {role for role in self._missing if _chosen(run.curves, role, self._roles[role])}
        return _with(run, self._roles) if self._roles else run

    def insist(self) -> None:
        """Errors: LogDoctorError for a role none of whose tags any of the runs had."""
        for role, tags in self._roles.items():
            if role in self._missing and self._asked:
                logged = sorted(self._tags)[:SHOWN_TAGS]
                raise LogDoctorError(f"[roles] {role}: no run logs {' or '.join(tags)}{did_you_mean(tags[0], logged)}")


def _with(run: Run, roles: Mapping[str, tuple[str, ...]]) -> Run:
    found = {role: _chosen(run.curves, role, tags) for role, tags in roles.items()}
    curves = {role: curve for role, curve in found.items() if curve is not None}
    receipts = tuple(f"`{curve.tag}` is the {role} curve, as [roles] says" for role, curve in curves.items())
    return replace(run, **curves, receipts=(*run.receipts, *receipts)) if curves else run  # type: ignore[arg-type]


def _chosen(curves: Sequence[Curve], role: str, tags: Sequence[str]) -> Curve | None:
    for tag in tags:
        named = [curve for curve in curves if curve.tag == tag or fnmatchcase(curve.tag, tag)]
        for split in SPLITS[role]:
            if mine := [curve for curve in named if curve.split == split]:
                return finest(mine)
    return None
