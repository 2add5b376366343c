"""The common DataFrame of many runs, and the files it can be written to."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from logdoctor.errors import LogDoctorError
from logdoctor.own_files import HEAD_BYTES, is_own
from logdoctor.rows import Codes, Ints, RunRows, constant
from logdoctor_parsers import COLUMNS

CATEGORIES = ("run", "metric", "split", "tag", "source")
_AT_ONCE = 1 << 15  # places
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def to_frame(runs: Iterable[RunRows], own: bool = False) -> pd.DataFrame:
    """One row a logged number (DESIGN section 2); an empty frame with the same columns and dtypes without numbers.

    `own`: nobody else needs the rows; where there is one run only, its numbers become the frame's without a copy.
    """
    runs = [run for run in runs if len(run.rows)]
    rows = [run.rows for run in runs]
    series = [each.series for each in rows]
    codes = [each.code for each in rows]
    step, epoch, wall_time, value, line = np.empty((5, sum(map(len, rows))))  # memory at once comes in larger pages
    taken: list[npt.NDArray[Any]] | None = [] if own else None
    columns = {
        "run": _category([[run.name] for run in runs], [constant(0, len(each)) for each in rows]),
        "attempt": _whole([each.attempt for each in rows]),
        "metric": _category([[s.metric for s in each] for each in series], codes),
        "split": _category([[s.split for s in each] for each in series], codes),
        "tag": _category([[s.tag for s in each] for each in series], codes),
        "step": _joined([each.step for each in rows], step, taken),
        "epoch": _joined([each.labels for each in rows], epoch, taken),
        "wall_time": _joined([each.wall_time for each in rows], wall_time, taken),
        "value": _joined([each.value for each in rows], value, taken),
        "source": _category([run.sources for run in runs], [each.source for each in rows]),
        "line": _joined([each.line for each in rows], line.view(np.int64), taken),
    }
    return pd.DataFrame(columns, columns=list(COLUMNS), copy=False)


def _joined(
    parts: Sequence[npt.NDArray[Any]], into: npt.NDArray[Any], taken: list[npt.NDArray[Any]] | None
) -> npt.NDArray[Any]:
    """The parts one after the other, in memory of their own: the frame is the user's to change.

    Only with `taken`, the memory taken over so far, parts that lie one behind the other are taken over as they are.
    """
    if taken is not None and (whole := _as_one(parts)) is not None and _can_be_taken(whole, into, taken):
        taken.append(whole)
        return whole
    return np.concatenate(parts, out=into, casting="unsafe") if parts else into


def _as_one(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any] | None:
    """A single part, or several that one array holds one behind the other, without a copy; None where they are not."""
    if len(parts) < 2:
        return parts[0] if parts else None
    kind, memory = parts[0].dtype, parts[0].base
    if not isinstance(memory, np.ndarray) or not memory.flags.c_contiguous:
        return None
    begin = end = _address(parts[0])
    for part in parts:
        if part.base is not memory or part.dtype != kind or not part.flags.c_contiguous or _address(part) != end:
            return None
        end += part.nbytes
    return np.ndarray((sum(map(len, parts)),), kind, memory, begin - _address(memory))


def _address(part: npt.NDArray[Any]) -> int:
    return int(part.__array_interface__["data"][0])


def _can_be_taken(part: npt.NDArray[Any], into: npt.NDArray[Any], taken: Sequence[npt.NDArray[Any]]) -> bool:
    """Whether an array is as good as a new one: it can be written, and no other column lies in the same memory."""
    alone = part.flags.writeable and not any(np.may_share_memory(part, other) for other in taken)
    return alone and part.flags.c_contiguous and part.dtype == into.dtype


def _whole(parts: Sequence[Ints]) -> npt.NDArray[np.int16]:
    """The same for small numbers, most of which are 0: those take no time."""
    joined = np.zeros(sum(map(len, parts)), np.int16)
    end = 0
    for part in parts:
        start, end = end, end + len(part)
        if not _repeats(part, 0):
            joined[start:end] = part
    return joined


def _category(texts: Sequence[Sequence[str]], places: Sequence[Codes]) -> pd.Categorical[str]:
    """For each run the texts its places point to; equal texts are one category, in order of appearance."""
    codes: dict[str, int] = {}
    maps = [[codes.setdefault(text, len(codes)) for text in of_run] for of_run in texts]
    joined = np.zeros(sum(map(len, places)), np.min_scalar_type(-1 - len(codes)))
    end = 0
    for new, place in zip(maps, places, strict=True):
        start, end = end, end + len(place)
        _translate(new, place, joined[start:end])
    return pd.Categorical.from_codes(joined, categories=pd.Index(list(codes)), validate=False)


def _translate(new: Sequence[int], place: Codes, into: npt.NDArray[np.signedinteger[Any]]) -> None:
    """Put `new[place]` into an array that holds 0."""
    if len(set(new)) == 1 or _repeats(place, int(place[0])):
        if code := new[int(place[0])]:
            into[:] = code
    elif new == list(range(len(new))):
        into[:] = place
    else:
        codes = np.array(new, into.dtype)
        for low in range(0, len(place), _AT_ONCE):  # `take` makes wide copies of the places, best in the cache
            chunk = place[low : low + _AT_ONCE]
            codes.take(chunk, out=into[low : low + _AT_ONCE], mode="clip")


def _repeats(part: npt.NDArray[Any], value: int) -> bool:
    return part.strides == (0,) and part[0] == value


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
