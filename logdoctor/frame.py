"""The common DataFrame of many runs, and the files it can be written to."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from logdoctor.errors import LogDoctorError
from logdoctor.own_files import HEAD_BYTES, is_own
from logdoctor.rows import to_frame as rows_to_frame
from logdoctor.run import Run
from logdoctor_parsers import COLUMNS

CATEGORIES = ("run", "metric", "split", "tag", "source")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
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
    """To .csv, .parquet or .jsonl by the name's ending: whole or not at all, and never over what is no export of ours.

    Errors: LogDoctorError for another ending, a missing package, a file that is not ours; OSError.
    """
    if path.suffix not in WRITERS:
        raise LogDoctorError(f"{path}: export writes .csv, .parquet or .jsonl; name the file so")
    if path.exists() and not path.is_file():
        WRITERS[path.suffix](frame, path)  # a pipe or a device: nothing to keep, nothing to replace
        return
    if path.exists() and path.stat().st_size and not is_export(path):
        raise LogDoctorError(f"{path} was not written by logdoctor and is not overwritten; give -o another file")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name[:40]}.") as folder:
        WRITERS[path.suffix](frame, Path(folder, path.name))
        Path(folder, path.name).replace(path)


def is_export(path: Path) -> bool:
    """Whether a file is a table that `write_frame` wrote."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    return is_own(head) or (head.startswith(b"PAR1") and _parquet_columns(path) == COLUMNS)


def _parquet_columns(path: Path) -> tuple[str, ...]:
    try:
        from pyarrow.parquet import read_schema

        return tuple(read_schema(path).names)
    except (ImportError, OSError, ValueError):  # pyarrow's errors are ValueErrors
        return ()


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Numbers as logged. Text that a spreadsheet would run as a formula gets an apostrophe before it.

    A table is what people open by a double click, and names that begin so are no metric's; .parquet and .jsonl, which
    only programs read, hold every name as it is.
    """
    for column in CATEGORIES:
        if any(str(name).startswith(FORMULA_STARTS) for name in frame[column].cat.categories):
            frame = frame.assign(**{column: [_harmless(str(text)) for text in frame[column]]})
    frame.to_csv(path, index=False)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _write_lines(frame: pd.DataFrame, path: Path) -> None:
    frame.to_json(path, orient="records", lines=True, double_precision=15)


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    try:
        frame.to_parquet(path, index=False)
    except ImportError:
        raise LogDoctorError(
            "writing Parquet needs pyarrow: pip install 'logdoctor[parquet]', or export to .csv"
        ) from None


WRITERS: Mapping[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": _write_csv, ".jsonl": _write_lines, ".parquet": _write_parquet,
}  # fmt: skip
