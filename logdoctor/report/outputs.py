"""Further files and lines a report can be delivered as, beside its folder: JSON, HTML, JUnit, GitHub Actions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from logdoctor.announce import Progress, silent
from logdoctor.diagnosis import Report
from logdoctor.errors import LogDoctorError
from logdoctor.finding import Severity
from logdoctor.own_files import HEAD_BYTES, is_own
from logdoctor.report.github import SUMMARY_BYTES, job_summary, workflow_commands
from logdoctor.report.html import to_html
from logdoctor.report.json_report import dumps
from logdoctor.report.junit import to_junit
from logdoctor.report.whole_files import replace_file

LEAST_SUMMARY = 10_000  # bytes; with less room in a step's summary it is left as it is
SUMMARY_VARIABLE, WORKSPACE_VARIABLE = "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"


@dataclass(frozen=True)
class Outputs:
    """What was asked for: paths of files (`json_file` `-`: standard output), and whether GitHub Actions reads along."""

    json_file: str | None = None
    html: Path | None = None
    junit: Path | None = None
    github: bool = False


def write_outputs(report: Report, outputs: Outputs, fail_on: str, *, plots: bool, progress: Progress = silent) -> None:
    """Write every file asked for. Findings at or above `fail_on` (`never`: warnings) fail in the JUnit file.

    Errors: LogDoctorError where a file cannot be written, or stands there and is not ours.
    """
    if outputs.json_file and outputs.json_file != "-":
        write_output(Path(outputs.json_file), "--json", dumps(report))
    if outputs.html:
        write_output(outputs.html, "--html", to_html(report, plots=plots, progress=progress))
    if outputs.junit:
        threshold = Severity.WARNING if fail_on == "never" else Severity[fail_on.upper()]
        write_output(outputs.junit, "--junit", to_junit(report, threshold))


def for_github(report: Report, environment: Mapping[str, str] = os.environ) -> str:
    """The lines that GitHub Actions turns into annotations; the job summary goes to the file the environment names."""
    summary = environment.get(SUMMARY_VARIABLE)
    if summary:
        _append_summary(report, Path(summary))
    return workflow_commands(report, environment.get(WORKSPACE_VARIABLE, ""))


def write_output(path: Path, option: str, content: bytes) -> None:
    """Write a file whole, never over what logdoctor did not write. Errors: LogDoctorError says which `option`."""
    try:
        if path.is_dir():
            raise LogDoctorError(f"{path} is a folder; give {option} a file")
        if path.exists() and not path.is_file():
            path.write_bytes(content)  # a pipe or a device: nothing to keep, nothing to replace
            return
        if path.exists() and _is_strange(path):
            raise LogDoctorError(
                f"{path} was not written by logdoctor and is not overwritten; give {option} another file"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content)
    except OSError as error:
        raise _refused(path, option, error) from error


def _is_strange(path: Path) -> bool:
    """Whether a file is neither empty nor a former output of ours."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    return bool(head) and not is_own(head)


def _append_summary(report: Report, path: Path) -> None:
    """Add the job summary to what earlier commands of the step have left there, within what GitHub takes."""
    try:
        room = SUMMARY_BYTES - (path.stat().st_size if path.exists() else 0)
        if room < LEAST_SUMMARY:
            return
        with path.open("ab") as stream:
            stream.write(job_summary(report, room).encode("utf-8", "replace"))
    except OSError as error:
        raise _refused(path, SUMMARY_VARIABLE, error) from error


def _refused(path: Path, option: str, error: OSError) -> LogDoctorError:
    reason = error.strerror or str(error)
    return LogDoctorError(f"cannot write {error.filename or path}: {reason}; give {option} a file that can be written")
