"""A former report to compare with: `--baseline report.json`, read back as far as changes are told from it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import logdoctor
from logdoctor.errors import LogDoctorError
from logdoctor.run import Curve

SCHEMA = 1  # of the reports that can be read back
WHAT_IT_IS = "a baseline is the report.json that `logdoctor report` has written before"


@dataclass(frozen=True)
class FormerSeries:
    """A series of a former report: its lowest and highest finite value and its first, NaN where it does not say."""

    tag: str
    metric: str
    split: str
    first: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class FormerRun:
    """A run of a former report; `findings` maps analyzer → severity, `val` is the tag and split it was judged by."""

    name: str
    paths: tuple[str, ...]
    state: str
    findings: Mapping[str, str]
    series: tuple[FormerSeries, ...]
    val: tuple[str, str] | None

    def like(self, curve: Curve) -> FormerSeries | None:
        """The series that tells what `curve` tells: of its tag, else the only one of its metric on the same data."""
        mine = [series for series in self.series if series.split == curve.split]
        exact = [series for series in mine if series.tag == curve.tag]
        alike = [series for series in mine if series.metric == curve.metric]
        return exact[0] if exact else alike[0] if len(alike) == 1 else None


@dataclass(frozen=True)
class Baseline:
    """A former report: where it lies and which logdoctor wrote it; `ignored`: pairs of run and analyzer."""

    path: str
    version: str
    runs: tuple[FormerRun, ...]
    ignored: frozenset[tuple[str, str]] = frozenset()


def read_baseline(path: str) -> Baseline:
    """The report at `path`, or in the report folder `path`.

    Errors: LogDoctorError where there is none, or it is not ours, of another schema, or damaged.
    """
    file = Path(path, "report.json") if Path(path).is_dir() else Path(path)
    content = _content(file)
    if not isinstance(content, dict) or "logdoctor" not in content or "runs" not in content:
        raise LogDoctorError(f"--baseline {file}: not written by logdoctor; {WHAT_IT_IS}")
    version, schema = str(content["logdoctor"]), content.get("schema")
    if schema != SCHEMA:
        raise LogDoctorError(
            f"--baseline {file}: written by logdoctor {version} in schema {schema!r}, "
            f"but {logdoctor.__version__} reads schema {SCHEMA}: write the baseline anew with this version"
        )
    try:
        ignored = frozenset((str(each["run"]), str(each["analyzer"])) for each in content.get("ignored", []))
        return Baseline(str(file), version, tuple(_run(run) for run in content["runs"]), ignored)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise LogDoctorError(
            f"--baseline {file}: damaged, or changed by hand ({type(error).__name__}: {error}); write it anew"
        ) from None


def _content(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except OSError as error:
        reason = error.strerror or str(error)
        raise LogDoctorError(f"--baseline {file}: {reason}; {WHAT_IT_IS}") from None
    except (ValueError, RecursionError):
        raise LogDoctorError(f"--baseline {file}: not valid JSON; {WHAT_IT_IS}") from None


def _run(run: Mapping[str, Any]) -> FormerRun:
    val = run["primary"]["val"]
    return FormerRun(
        name=str(run["name"]),
        paths=tuple(str(source["path"]) for source in run["sources"]),
        state=str(run["state"]),
        findings={str(finding["analyzer"]): str(finding["severity"]) for finding in run["findings"]},
        series=tuple(_series(series) for series in run["series"]),
        val=None if val is None else (str(val["tag"]), str(val["split"])),
    )


def _series(series: Mapping[str, Any]) -> FormerSeries:
    return FormerSeries(
        str(series["tag"]), str(series["metric"]), str(series["split"]),
        _number(series["first"]), _number(series["min"]), _number(series.get("max")),
    )  # fmt: skip


def _number(value: Any) -> float:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known else math.nan
