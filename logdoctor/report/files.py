"""Writes a report's files: whole or not at all, and never over what is not a former report."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from logdoctor.compare import SideBySide
from logdoctor.diagnosis import Diagnosis, Report
from logdoctor.errors import LogDoctorError
from logdoctor.finding import Failed
from logdoctor.report.json_report import dumps
from logdoctor.report.markdown import detailed_runs, to_markdown
from logdoctor.run import Run

NAME_LENGTH = 80


def write_report(
    report: Report, folder: Path, *, plots: bool = True, progress: Callable[[str], None] = lambda step: None
) -> Report:
    """Write `report.md`, `report.json` and `plots/` into `folder`; returns the report with its plots' paths.

    Errors: LogDoctorError where files of those names stand there that logdoctor did not write, or writing fails.
    """
    with _explained(folder):
        former = _former_report(folder)
        (folder / "plots" if plots else folder).mkdir(parents=True, exist_ok=True)
        # Claims the folder: were the drawing killed, the next report would find its own files, not a stranger's.
        replace_file(folder / "report.json", dumps(report))
        if plots:
            report = _draw_all(report, folder, progress)
        replace_file(folder / "report.md", to_markdown(report, plots=plots).encode("utf-8", "replace"))
        replace_file(folder / "report.json", dumps(report))
        _remove_stale(former, report, folder)
    return report


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into a sentence with the way out."""
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        reason = error.strerror or str(error)
        raise LogDoctorError(
            f"cannot write the report to {where}: {reason}; give another folder with -o DIR"
        ) from error


def _former_report(folder: Path) -> dict[str, Any]:
    """The report that stands in the folder, empty without one. Errors: LogDoctorError where files are not ours."""
    path = folder / "report.json"
    former = read_former(path)
    if former is not None:
        return former
    for name in ("report.json", "report.md", "plots"):
        taken = folder / name
        if taken.exists() and not _is_empty(taken):
            raise LogDoctorError(
                f"{taken} was not written by logdoctor and is not overwritten; "
                "move it away or give another folder with -o DIR"
            )
    return {}


def read_former(path: Path) -> dict[str, Any] | None:
    """A report.json that logdoctor wrote; None for anything else, or nothing, at `path`."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and "logdoctor" in content else None


def _is_empty(path: Path) -> bool:
    return not any(path.iterdir()) if path.is_dir() else path.stat().st_size == 0


def replace_file(path: Path, content: bytes) -> None:
    """Write a file whole: readers see the old one or the new one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _draw_all(report: Report, folder: Path, progress: Callable[[str], None]) -> Report:
    wanted = {id(diagnosis) for diagnosis in detailed_runs(report) if _has_curve(diagnosis.run)}
    taken: set[str] = set()
    drawn = []
    if report.side_by_side:
        report = replace(
            report, side_by_side=_draw_comparison(report.side_by_side, folder, file_name("all-runs", taken))
        )
    for diagnosis in report.runs:
        if id(diagnosis) in wanted:
            progress(f"plot of {diagnosis.run.name}")
            diagnosis = _draw_one(diagnosis, folder, file_name(diagnosis.run.name, taken))
        drawn.append(diagnosis)
    return replace(report, runs=tuple(drawn))


def _draw_comparison(side: SideBySide, folder: Path, name: str) -> SideBySide:
    """The comparison with its plot, or with a note that it could not be drawn."""
    from logdoctor.report.comparison_plot import draw_comparison

    try:
        picture = draw_comparison(side)
    except Exception as error:
        return replace(side, notes=(*side.notes, f"The plot could not be drawn ({type(error).__name__}: {error})."))
    path = Path("plots") / f"{name}.png"
    replace_file(folder / path, picture)
    return replace(side, plot=path)


def _has_curve(run: Run) -> bool:
    return any(curve is not None and len(curve) for curve in (run.train, run.val, run.val_metric))


def _draw_one(diagnosis: Diagnosis, folder: Path, name: str) -> Diagnosis:
    """The diagnosis with its plot; a drawing that fails costs only itself."""
    from logdoctor.report.plots import draw  # matplotlib takes most of a second to import

    try:
        picture = draw(diagnosis)
    except Exception as error:
        failure = Failed("plot", f"{type(error).__name__}: {error}")
        return replace(diagnosis, failed=(*diagnosis.failed, failure))
    path = Path("plots") / f"{name}.png"
    replace_file(folder / path, picture)
    return replace(diagnosis, plots=(path,))


def file_name(run: str, taken: set[str]) -> str:
    """A safe file name for a run, unlike those `taken` also where case does not count; added to `taken`."""
    safe = re.sub(r"[^\w.\-]+", "_", run, flags=re.ASCII).strip("._-") or "run"
    changed = safe != run or len(safe) > NAME_LENGTH or safe.casefold() in taken
    # A digest of the whole name, not a counter: a run keeps its file whatever else is in the report.
    name = (
        f"{safe[:NAME_LENGTH]}-{hashlib.sha256(run.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
        if changed
        else safe
    )
    while name.casefold() in taken:
        name += "_"
    taken.add(name.casefold())
    return name


def _remove_stale(former: dict[str, Any], report: Report, folder: Path) -> None:
    """Remove plots of the former report that the new one does not have."""
    kept = {plot.name for diagnosis in report.runs for plot in diagnosis.plots}
    if report.side_by_side and report.side_by_side.plot:
        kept.add(report.side_by_side.plot.name)
    for name in _former_plots(former) - kept:
        (folder / "plots" / name).unlink(missing_ok=True)


def _former_plots(former: dict[str, Any]) -> set[str]:
    """The names of the plots that a former report lists."""
    runs = [run.get("plots", []) for run in former.get("runs", []) if isinstance(run, dict)]
    comparison = former.get("comparison")
    together = [comparison["plot"]] if isinstance(comparison, dict) and comparison.get("plot") else []
    return {Path(str(plot)).name for plots in [*runs, together] for plot in plots}
