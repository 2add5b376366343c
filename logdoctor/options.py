"""What a user can set, on the command line or in a settings file; the command line wins."""

from __future__ import annotations

import difflib
import re
import reprlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from logdoctor.errors import LogDoctorError
from logdoctor_parsers.unpack import ReadLimits

CONFIG_NAME, PROJECT_NAME = "logdoctor.toml", "pyproject.toml"
NUMBERS = ("dataset_size", "batch_size", "steps_per_epoch", "augmentation_factor")
LEAST, MOST = 1e-6, 1e15  # of the numbers: beyond, they are mistakes
UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


@dataclass(frozen=True)
class Ignore:
    """A finding not to be told of the runs whose name matches `runs` (`*` stands for anything), and why."""

    finding: str
    runs: str = "*"
    reason: str = ""

    def covers(self, finding: str, run: str) -> bool:
        return self.finding == finding and fnmatchcase(run, self.runs)


@dataclass(frozen=True)
class Options:
    """Settings of one examination. Sizes are in images, times POSIX seconds.

    `template` is the --pattern of the command line, `pattern` the [[pattern]] tables of the file (template, name,
    split); `limits` maps analyzer → limit → value; `runs` a run's name (`*` stands for anything) → numbers known of it;
    `roles` maps train, val, lr or val_metric → tags to judge by, as logged, the first that a run has;
    `max_gigabytes` (of 2^30 bytes) and `max_unpacking_ratio` bound what is read of one file, `max_runs_per_file` what
    of it is judged: more than a sweep writes, as each run takes time and a part of the report. `baseline` is a former
    report.json to compare with, `fail_if_worse` what may not have become worse since (`val_loss 2%`).
    """

    parser: str | None = None
    template: str | None = None
    pattern: tuple[Mapping[str, str], ...] = ()
    dataset_size: float | None = None
    batch_size: float | None = None
    steps_per_epoch: float | None = None
    augmentation_factor: float | None = None
    ignore: tuple[Ignore, ...] = ()
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    runs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    since: float | None = None
    now: float | None = None
    max_gigabytes: float = 2.0
    max_unpacking_ratio: float = 200.0
    max_runs_per_file: float = 5000
    baseline: str | None = None
    fail_if_worse: tuple[str, ...] = ()

    @property
    def read_limits(self) -> ReadLimits:
        """How much is read of one file."""
        return ReadLimits(int(self.max_gigabytes * 2**30), self.max_unpacking_ratio)


def merged(file: Options, given: Mapping[str, Any]) -> Options:
    """`file` with everything the command line or the caller said put over it; ignored findings and limits add up."""
    said = {key: value for key, value in given.items() if value is not None and value != ()}
    unknown = [key for key in said if key not in {f.name for f in fields(Options)}]
    if unknown:
        raise LogDoctorError(
            f"unknown option {unknown[0]!r}{did_you_mean(unknown[0], [f.name for f in fields(Options)])}"
        )
    for key in NUMBERS:
        number = said.get(key, 1)
        if not isinstance(number, int | float) or not LEAST <= number <= MOST:
            raise LogDoctorError(f"{key} must be a number from {LEAST:g} to {MOST:g}, not {number!r}")
    if "ignore" in said:
        named = [said["ignore"]] if isinstance(said["ignore"], str | Ignore) else said["ignore"]
        added = tuple(each if isinstance(each, Ignore) else Ignore(str(each)) for each in named)
        said["ignore"] = (*file.ignore, *added)
    if "limits" in said:
        limits = said["limits"]
        said["limits"] = {
            name: {**file.limits.get(name, {}), **limits.get(name, {})} for name in {**file.limits, **limits}
        }
    return replace(file, **said)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean …?` or the list of what there is."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(known)}"


def parse_since(text: str, now: float) -> float:
    """`12h`, `3d` back from now, or a local date such as 2026-11-21 → POSIX seconds. Errors: LogDoctorError."""
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([mhdw])", text.strip()):
        return now - float(match[1]) * UNITS[match[2]]
    try:
        since = datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError):
        raise LogDoctorError(
            f"--since {text!r}: give a span such as 90m, 12h, 3d or 2w, or a date such as 2026-11-21"
        ) from None
    if since > now:
        raise LogDoctorError(f"--since {text}: that is still to come; give a span such as 12h, or a date of the past")
    return since


def parse_limits(given: Iterable[str]) -> dict[str, dict[str, float]]:
    """Each `plateau.min_epochs=20` of the command line → analyzer → limit → value. Errors: LogDoctorError."""
    limits: dict[str, dict[str, float]] = {}
    for text in given:
        match = re.fullmatch(r"\s*([\w-]+)\.(\w+)\s*=\s*(\S+)\s*", text)
        if not match:
            raise LogDoctorError(f"--limit {text}: write FINDING.LIMIT=NUMBER, such as plateau.min_epochs=20")
        finding, limit, number = match.groups()
        limits.setdefault(finding, {})[limit] = checked_limit(f"--limit {finding}.{limit}", as_number(number))
    return limits


def as_number(text: str) -> float | str:
    """A number (whole ones as int), or the text itself where it is none."""
    try:
        return int(text) if re.fullmatch(r"\d{1,15}", text) else float(text)
    except ValueError:
        return text


def checked_limit(where: str, value: object) -> float:
    """The value of a limit. Errors: LogDoctorError unless it is a finite number of 0 or more."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= sys.float_info.max:
        raise LogDoctorError(f"{where} must be a number, 0 or more, not {shown(value)}")
    return value


def shown(value: object) -> str:
    """A setting that is not as it must be, shortened: settings files may be a stranger's."""
    try:
        return reprlib.repr(value)
    except ValueError:  # an integer too long to be written in decimals
        return "a number with too many digits"
