"""Writes a report's files: whole or not at all, and never over what is not a former report."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from logdoctor.announce import Progress, silent
from logdoctor.diagnosis import Report
from logdoctor.errors import LogDoctorError
from logdoctor.own_files import read_report
from logdoctor.report.json_report import dumps
from logdoctor.report.markdown import to_markdown
from logdoctor.report.pictures import draw_all
from logdoctor.report.whole_files import replace_file


def write_report(
    report: Report,
    folder: Path,
    *,
    plots: str = "some",
    plot_format: str = "png",
    progress: Progress = silent,
) -> Report:
    """Write `report.md`, `report.json` and `plots/` into `folder`; returns the report with its plots' paths.

    `plots`: `all`, `some` (where they tell something) or `none`; `plot_format`: `png` or `svg`.
    Errors: LogDoctorError where files of those names stand there that logdoctor did not write, or writing fails.
    """
    with _explained(folder):
        former = _former_report(folder)
        (folder if plots == "none" else folder / "plots").mkdir(parents=True, exist_ok=True)
        if not former:
            # Claims the folder: were the drawing killed, the next report would find its own files, not a stranger's.
            replace_file(folder / "report.json", dumps(report))
        with _moved_together(folder) as place:
            if plots != "none":
                report = draw_all(report, place, plots, plot_format, progress)
            text, data = to_markdown(report).encode("utf-8", "replace"), dumps(report)
        replace_file(folder / "report.md", text)
        replace_file(folder / "report.json", data)
        _remove_stale(former, report, folder)
    return report


@contextmanager
def _moved_together(folder: Path) -> Iterator[Path]:
    """A place for plots, moved to those of the report when all are drawn: until then its former ones stay."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".plots.") as place:
        drawn = Path(place, "plots")
        drawn.mkdir()
        yield Path(place)
        for plot in drawn.iterdir():
            plot.replace(folder / "plots" / plot.name)


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
    if (folder / "plots").is_symlink():
        raise LogDoctorError(
            f"{folder / 'plots'} is a link: plots would leave the folder; remove it or give another -o DIR"
        )
    path = folder / "report.json"
    former = read_report(path)
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


def _is_empty(path: Path) -> bool:
    return not any(path.iterdir()) if path.is_dir() else path.stat().st_size == 0


def _remove_stale(former: dict[str, Any], report: Report, folder: Path) -> None:
    """Remove plots of the former report that the new one does not have."""
    together = (report.overview, report.side_by_side and report.side_by_side.plot)
    kept = {plot.name for plot in together if plot} | {plot.name for run in report.runs for plot in run.plots}
    for name in _former_plots(former) - kept:
        (folder / "plots" / name).unlink(missing_ok=True)


def _former_plots(former: dict[str, Any]) -> set[str]:
    """The names of the plots that a former report lists, whatever else somebody has written into it."""
    runs, comparison = former.get("runs"), former.get("comparison")
    listed = [run.get("plots") for run in (runs if isinstance(runs, list) else []) if isinstance(run, dict)]
    plots = [plot for each in listed if isinstance(each, list) for plot in each]
    plots += [comparison.get("plot") if isinstance(comparison, dict) else None, former.get("overview")]
    return {Path(plot).name for plot in plots if isinstance(plot, str)} - {"", ".."}
