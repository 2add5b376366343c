"""The pictures of a report: which are worth drawing, and their files; one that fails costs only itself."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from logdoctor.announce import Progress, silent
from logdoctor.compare import SideBySide
from logdoctor.diagnosis import Diagnosis, Report
from logdoctor.finding import Failed
from logdoctor.report.markdown import detailed_runs
from logdoctor.report.shown import shown_curves
from logdoctor.report.summary import needs_you
from logdoctor.report.whole_files import replace_file

NAME_LENGTH = 80
OVERVIEW_FROM = 6  # runs: from here on all stand side by side in one picture
TELLING = 3  # values that a curve needs to have a course
ALL_RUNS, OVERVIEW = "all-runs", "overview"
PLOT = "plot"  # what failed, where a drawing did


def draw_all(report: Report, folder: Path, plots: str, plot_format: str, progress: Progress = silent) -> Report:
    """The report with its pictures drawn into `folder`/plots; `plots` is `all` or `some`."""
    taken = {ALL_RUNS, OVERVIEW}
    wanted = {id(diagnosis) for diagnosis in worth_drawing(report, plots)}
    drawn = []
    for diagnosis in report.runs:
        if id(diagnosis) in wanted:
            progress(f"plot of {diagnosis.run.name}")
            name = f"{file_name(diagnosis.run.name, taken)}.{plot_format}"
            diagnosis = _draw_one(diagnosis, folder, name, plot_format)
        drawn.append(diagnosis)
    report = replace(report, runs=tuple(drawn))
    if report.side_by_side:
        return replace(report, side_by_side=_draw_comparison(report.side_by_side, folder, plot_format))
    if has_overview(report):
        progress("overview")
        return replace(report, overview=_draw_overview(report, folder, plot_format))
    return report


def worth_drawing(report: Report, plots: str) -> list[Diagnosis]:
    """The runs that get a picture of their own: `all`, or those where it tells more than the overview does."""
    if plots == "all":
        return [diagnosis for diagnosis in report.runs if _has_picture(diagnosis, plots)]
    alone = report.side_by_side is None and not has_overview(report)
    return [d for d in detailed_runs(report) if _has_picture(d, plots) and (alone or d.findings or d.failed)]


def has_overview(report: Report) -> bool:
    """Whether there are runs enough to set them side by side."""
    return sum(has_course(diagnosis) for diagnosis in report.runs) >= OVERVIEW_FROM


def has_course(diagnosis: Diagnosis) -> bool:
    """Whether a curve has values at places enough to be more than a dot."""
    return any(len(np.unique(curve.x)) >= TELLING for curve in shown_curves(diagnosis.run))


def _draw_one(diagnosis: Diagnosis, folder: Path, name: str, plot_format: str = "png") -> Diagnosis:
    """The diagnosis with its plot, drawn now or moved to its place; a drawing that fails costs only itself."""
    if any(failure.analyzer == PLOT for failure in diagnosis.failed):
        return diagnosis
    picture = _picture(diagnosis, plot_format) if diagnosis.drawn is None else diagnosis.drawn.read_bytes()
    if isinstance(picture, Failed):
        return replace(diagnosis, failed=(*diagnosis.failed, picture))
    if diagnosis.drawn is not None:
        diagnosis.drawn.unlink()
    return replace(diagnosis, plots=(_written(folder, name, picture),), drawn=None)


def draw_early(diagnosis: Diagnosis, plots: str, plot_format: str, folder: Path) -> Diagnosis:
    """The diagnosis, as one of many, with its plot in a file of `folder` if it will get one."""
    if not (plots == "all" or (plots == "some" and needs_you(diagnosis))) or not _has_picture(diagnosis, plots):
        return diagnosis
    picture = _picture(diagnosis, plot_format)
    if isinstance(picture, Failed):
        return replace(diagnosis, failed=(*diagnosis.failed, picture))
    handle, path = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "wb") as stream:
        stream.write(picture)
    return replace(diagnosis, drawn=Path(path))


def _has_picture(diagnosis: Diagnosis, plots: str) -> bool:
    """Whether there is enough to draw."""
    return bool(shown_curves(diagnosis.run)) if plots == "all" else has_course(diagnosis)


def _picture(diagnosis: Diagnosis, plot_format: str) -> bytes | Failed:
    from logdoctor.report.plots import draw  # matplotlib takes most of a second to import

    try:
        return draw(diagnosis, plot_format)
    except Exception as error:
        return Failed(PLOT, f"{type(error).__name__}: {error}")


def _draw_comparison(side: SideBySide, folder: Path, plot_format: str) -> SideBySide:
    """The comparison with its plot, or with a note that it could not be drawn."""
    from logdoctor.report.comparison_plot import draw_comparison

    try:
        picture = draw_comparison(side, plot_format)
    except Exception as error:
        return replace(side, notes=(*side.notes, f"The plot could not be drawn ({type(error).__name__}: {error})."))
    return replace(side, plot=_written(folder, f"{ALL_RUNS}.{plot_format}", picture))


def _draw_overview(report: Report, folder: Path, plot_format: str) -> Path:
    from logdoctor.report.overview_plot import draw_overview

    course = [diagnosis for diagnosis in report.runs if has_course(diagnosis)]
    return _written(folder, f"{OVERVIEW}.{plot_format}", draw_overview(course, plot_format))


def _written(folder: Path, name: str, picture: bytes) -> Path:
    path = Path("plots") / name
    replace_file(folder / path, picture)
    return path


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
