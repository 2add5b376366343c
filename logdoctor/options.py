"""What a user can set, on the command line or in logdoctor.toml; the command line wins."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from logdoctor.errors import LogDoctorError
from logdoctor_parsers.unpack import ReadLimits

CONFIG_NAME = "logdoctor.toml"
NUMBERS = ("dataset_size", "batch_size", "steps_per_epoch", "augmentation_factor")
PATTERN_KEYS = ("template", "name", "split")
UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


@dataclass(frozen=True)
class Options:
    """Settings of one examination. Sizes are in images, times POSIX seconds.

    `template` is the --pattern of the command line, `pattern` the [[pattern]] tables of the file (template, name,
    split); `limits` maps analyzer → limit → value; `runs` a run's name (`*` stands for anything) → numbers known of it;
    `max_gigabytes` (of 2^30 bytes) and `max_unpacking_ratio` bound what is read of one file.
    """

    parser: str | None = None
    template: str | None = None
    pattern: tuple[Mapping[str, str], ...] = ()
    dataset_size: float | None = None
    batch_size: float | None = None
    steps_per_epoch: float | None = None
    augmentation_factor: float | None = None
    ignore: tuple[str, ...] = ()
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    runs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    since: float | None = None
    now: float | None = None
    max_gigabytes: float = 2.0
    max_unpacking_ratio: float = 200.0

    @property
    def read_limits(self) -> ReadLimits:
        """How much is read of one file."""
        return ReadLimits(int(self.max_gigabytes * 2**30), self.max_unpacking_ratio)


def read_config(path: Path) -> Options:
    """Options from a TOML file. Errors: LogDoctorError names the file, the key and the nearest known one."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise LogDoctorError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LogDoctorError(f"{path}: not valid TOML: {error}") from None
    for key in content:
        if key not in CHECKS:
            raise LogDoctorError(f"{path}: unknown key {key!r}{did_you_mean(key, CHECKS)}")
    checked: dict[str, Any] = {key: _checked(path, key, value) for key, value in content.items()}
    return Options(**checked)


def merged(file: Options, given: Mapping[str, Any]) -> Options:
    """`file` with everything the command line or the caller said put over it."""
    said = {key: value for key, value in given.items() if value is not None and value != ()}
    unknown = [key for key in said if key not in {f.name for f in fields(Options)}]
    if unknown:
        raise LogDoctorError(
            f"unknown option {unknown[0]!r}{did_you_mean(unknown[0], [f.name for f in fields(Options)])}"
        )
    return replace(file, **said)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean …?` or the list of what there is."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(known)}"


def parse_since(text: str, now: float) -> float:
    """`12h`, `3d` back from now, or a date such as 2026-11-21 → POSIX seconds. Errors: LogDoctorError."""
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([mhdw])", text):
        return now - float(match[1]) * UNITS[match[2]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise LogDoctorError(f"--since {text}: give a span such as 12h or 3d, or a date such as 2026-11-21") from None


def _checked(path: Path, key: str, value: object) -> object:
    """A value of the settings file, or the sentence that says what it must be. Errors: LogDoctorError."""
    return CHECKS[key](path, key, value)


def _text(path: Path, key: str, value: object) -> str:
    if not isinstance(value, str):
        raise LogDoctorError(f"{path}: {key} must be text, not {value!r}")
    return value


def _number(path: Path, key: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value) or value <= 0:
        raise LogDoctorError(f"{path}: {key} must be a number above 0, not {value!r}")
    return value


def _names(path: Path, key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise LogDoctorError(f"{path}: {key} must be a list of names, not {value!r}")
    return tuple(str(name) for name in value)


def _limits(path: Path, key: str, value: object) -> Mapping[str, Mapping[str, float]]:
    return _tables(path, value, "write limits as [limits.plateau] and then min_epochs = 20")


def _runs(path: Path, key: str, value: object) -> Mapping[str, Mapping[str, float]]:
    tables = _tables(path, value, 'write what you know of a run as [runs."name"] and then dataset_size = 50000')
    for table in tables.values():
        for name, number in table.items():
            if name not in NUMBERS:
                raise LogDoctorError(f"{path}: unknown key {name!r} of a run{did_you_mean(name, NUMBERS)}")
            _number(path, name, number)
    return tables


def _tables(path: Path, value: object, advice: str) -> Mapping[str, Mapping[str, float]]:
    if not isinstance(value, dict) or not all(isinstance(table, dict) for table in value.values()):
        raise LogDoctorError(f"{path}: {advice}")
    return value


def _patterns(path: Path, key: str, value: object) -> tuple[Mapping[str, str], ...]:
    tables = value if isinstance(value, list) else [None]
    for table in tables:
        if not isinstance(table, dict) or "template" not in table:
            advice = 'write a pattern as [[pattern]] and then template = "Epoch {epoch} loss {loss}"'
            raise LogDoctorError(f"{path}: {advice}")
        for name, text in table.items():
            if name not in PATTERN_KEYS:
                raise LogDoctorError(f"{path}: unknown key {name!r} of a pattern{did_you_mean(name, PATTERN_KEYS)}")
            _text(path, f"{name} of a pattern", text)
    return tuple(tables)


CHECKS: Mapping[str, Callable[[Path, str, object], object]] = {
    "parser": _text, "pattern": _patterns, "ignore": _names, "limits": _limits, "runs": _runs,
    **dict.fromkeys((*NUMBERS, "max_gigabytes", "max_unpacking_ratio"), _number),
}  # fmt: skip
