"""logdoctor reads the logs a training run left behind and says what happened, with evidence.

report = logdoctor.diagnose("runs/")        # shows itself in a notebook; .runs, .findings, .to_json(), .to_frame()
frame = logdoctor.load("runs/")             # every logged number, one row each
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from logdoctor.diagnosis import Report

__version__ = "0.1.0"
__all__ = ["__version__", "diagnose", "load"]


def diagnose(paths: str | Path | Sequence[str | Path], **options: Any) -> Report:
    """Read everything under `paths` and judge it; see `logdoctor.judging.diagnose`."""
    from logdoctor.judging import diagnose as run_diagnosis

    return run_diagnosis(paths, **options)


def load(paths: str | Path | Sequence[str | Path], **options: Any) -> pd.DataFrame:
    """The common DataFrame of everything under `paths`: one row a logged number, restarts stitched.

    Columns: run, attempt, metric, split, tag, step, epoch, wall_time, value, source, line. Options as in `diagnose`.
    Errors: LogDoctorError where a path does not exist; a folder without logs gives an empty frame.
    """
    from logdoctor.frame import to_frame
    from logdoctor.options import Options, merged
    from logdoctor.read import read_rows

    given = [str(paths)] if isinstance(paths, str | Path) else [str(path) for path in paths]
    runs, _ = read_rows(given, merged(Options(), options))
    return to_frame(runs, own=True)
