"""The common DataFrame of many runs, and the files it can be written to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from logdoctor.errors import LogDoctorError
from logdoctor.rows import to_frame as rows_to_frame
from logdoctor.run import Run
from logdoctor_parsers import COLUMNS

CATEGORIES = ("run", "metric", "split", "tag", "source")
DTYPES = {"attempt": "int16", "line": "int64", **dict.fromkeys(("step", "epoch", "wall_time", "value"), "float64")}


def to_frame(runs: Sequence[Run]) -> pd.DataFrame:
    """One row a logged number (DESIGN section 2); an empty frame with the same columns and dtypes without runs."""
    frames = [
        rows_to_frame(r.name, r.rows, [s.path for s in r.sources]) for r in runs if r.rows is not None and len(r.rows)
    ]
    if not frames:
        empty = {c: pd.Series(dtype="category" if c in CATEGORIES else DTYPES[c]) for c in COLUMNS}
        return pd.DataFrame(empty, columns=list(COLUMNS))
    if len(frames) == 1:
        return frames[0]
    from pandas.api.types import union_categoricals

    united = {name: union_categoricals([frame[name] for frame in frames]) for name in CATEGORIES}
    plain = pd.concat([frame.drop(columns=list(CATEGORIES)) for frame in frames], ignore_index=True)
    return plain.assign(**united)[list(COLUMNS)]


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """To .csv, .parquet or .jsonl by the name's ending. Errors: LogDoctorError for another one or a missing package."""
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True, double_precision=15)
    elif path.suffix == ".parquet":
        try:
            frame.to_parquet(path, index=False)
        except ImportError:
            raise LogDoctorError(
                "writing Parquet needs pyarrow: pip install 'logdoctor[parquet]', or export to .csv"
            ) from None
    else:
        raise LogDoctorError(f"{path}: export writes .csv, .parquet or .jsonl; name the file so")
