"""Whether what a parser returned is what the contract says: parsers come from outside, too."""

from __future__ import annotations

import numpy as np

from logdoctor_parsers.contract import Checkpoint, Ending, Fact, ParsedLog, Problem, Series, Table

_WHOLE = ("code", "line")
_COLUMNS = (*_WHOLE, "step", "epoch", "batch", "batches", "wall_time", "value")
_ITEMS = {"facts": Fact, "problems": Problem, "starts": int, "tail": str, "leftover": tuple, "checkpoints": Checkpoint}
_SINGLE = {"format": str, "dialect": str, "lines": int, "data": int, "unreadable": int, "ending": Ending}


def insist_on_contract(log: object) -> None:
    """Errors: TypeError or ValueError that says what is not as `ParsedLog` and `Table` promise."""
    if not isinstance(log, ParsedLog):
        raise TypeError(f"it returned {type(log).__name__}, not ParsedLog")
    for name, kind in _SINGLE.items():
        if not isinstance(getattr(log, name), kind):
            raise TypeError(f"{name} is no {kind.__name__}")
    for name, kind in _ITEMS.items():
        items = getattr(log, name)
        if not isinstance(items, tuple) or not all(isinstance(item, kind) for item in items):
            raise TypeError(f"{name} is no tuple of {kind.__name__}")
    _insist_on_table(log.table)


def _insist_on_table(table: object) -> None:
    if not isinstance(table, Table):
        raise TypeError(f"its table is {type(table).__name__}, not Table")
    if not isinstance(table.series, tuple) or not all(isinstance(series, Series) for series in table.series):
        raise TypeError("series is no tuple of Series")
    for name in _COLUMNS:
        column = getattr(table, name)
        if not isinstance(column, np.ndarray) or column.dtype.kind not in ("iu" if name in _WHOLE else "iuf"):
            raise TypeError(f"the column {name} is no array of {'integers' if name in _WHOLE else 'numbers'}")
        if column.shape != (len(table.value),):
            raise ValueError(f"the column {name} has the shape {column.shape}, value {np.shape(table.value)}")
    if len(table) and not 0 <= table.code.min() <= table.code.max() < len(table.series):
        raise ValueError("code names series that do not exist")
