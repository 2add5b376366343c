"""Rows of named numbers, as CSV files and JSON lines hold them, and the table they make.

`Records` keeps what a file says, key by key; `tabulate` decides which keys are positions (see `positions`) and what the
others measure. Sparse rows are normal: a key has entries only in the rows that name it.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.contract import Fact, Floats, Ints, Table
from logdoctor_parsers.names import METRICS, SPLITS, Name, canonical, words
from logdoctor_parsers.positions import Positions, locate
from logdoctor_parsers.table_builder import COUNTERS, TableBuilder

MISSING = {"", "na", "n/a", "none", "null", "-", "--"}
_SPECIAL = {"-nan": np.nan, "nan(ind)": np.nan, "-nan(ind)": np.nan, "1.#inf": np.inf, "-1.#inf": -np.inf,
            "1.#qnan": np.nan, "-1.#ind": np.nan, "1.#ind": np.nan}  # fmt: skip
_WRAPPED = re.compile(
    r"^(?:tensor|np\.float\d+|array)?[(\[]+\s*([^\s,()\[\]]+)\s*(?:,\s*(?:device|dtype|grad_fn)=[^)]*)?[)\]]+$"
)

# Keys that state a setting of the run, not a measurement: normalised name → name of the fact.
FACTS = {
    "total_steps": "max_iter", "max_steps": "max_iter", "max_iters": "max_iter", "max_iter": "max_iter",
    "max_epochs": "epochs", "num_epochs": "epochs", "total_epochs": "epochs", "num_train_epochs": "epochs",
    "steps_per_epoch": "steps_per_epoch", "batches_per_epoch": "steps_per_epoch", "batch_size": "batch_size",
    "seed": "seed", "n_parameters": "parameters", "n_params": "parameters", "num_params": "parameters",
    "world_size": "devices", "exp_name": "experiment", "optimizer": "optimizer",
}  # fmt: skip


# Columns of a long table, as MLflow, ClearML and Aim export: the name of each number, the number, what it was taken on.
NAME_OF_LONG = ("metric", "metric_name", "metrics", "name", "tag", "key", "scalar", "title")
VALUE_OF_LONG = ("value", "metric_value", "scalar_value", "val")
BESIDE_NAME = ("variant", "context", "series")


def number(text: str) -> float | None:
    """The float64 a cell says (NaN, ±inf, `12.5%` → 12.5, `tensor(0.5)` → 0.5), or None where it is no number."""
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        pass
    text = text.strip()
    if (special := _SPECIAL.get(text.lower())) is not None:
        return special
    if text.endswith("%"):
        return number(text[:-1])
    wrapped = _WRAPPED.match(text)
    return number(wrapped[1]) if wrapped else None


@dataclass(frozen=True)
class Column:
    """The entries of one key: row index, number and physical line of each, shape (n,)."""

    row: Ints
    value: Floats
    line: Ints

    def take(self, kept: npt.NDArray[np.bool_]) -> Column:
        """Fewer of the entries."""
        return Column(self.row[kept], self.value[kept], self.line[kept])


_Part = tuple[Ints, Floats, Ints | None]  # row, number, and line where it is not the row's own


class Records:
    """Collects rows of (key, number) and (key, text); rows and keys stay in file order."""

    def __init__(self) -> None:
        self.lines: array[int] = array("q")
        self.texts: dict[str, dict[int, str]] = {}
        self._entries: dict[str, array[float]] = {}  # row, number, line; row, number, line; …
        self._columns: dict[str, list[_Part]] = {}  # numbers of many rows at once, of keys that have entries too

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def keys(self) -> list[str]:
        """Keys with at least one number."""
        return list(self._entries)

    def begin(self, line: int) -> int:
        """Start a row that stands at `line`; returns its index."""
        self.lines.append(line)
        return len(self.lines) - 1

    def begin_many(self, lines: Ints) -> int:
        """Start rows that stand at `lines`; returns the index of the first."""
        self.lines.frombytes(lines.tobytes())
        return len(self.lines) - len(lines)

    def put(self, key: str, value: float, line: int | None = None, row: int = -1) -> None:
        """A number of a row (-1: the current one); `line` where it does not stand at the row's own line."""
        row = len(self.lines) - 1 if row < 0 else row
        entry = (row, value, self.lines[row] if line is None else line)
        if key in self._entries:
            self._entries[key].extend(entry)
        else:
            self._entries[key] = array("d", entry)

    def put_column(self, key: str, row: Ints, value: Floats, line: Ints | None = None) -> None:
        """The numbers of many rows, shape (n,) each; `line` where they do not stand at the rows' own lines."""
        self._entries.setdefault(key, array("d"))
        self._columns.setdefault(key, []).append((row, value, line))

    def put_text(self, key: str, text: str, row: int = -1) -> None:
        """A text of a row (-1: the current one): a role, a time stamp, a name."""
        self.texts.setdefault(key, {})[len(self.lines) - 1 if row < 0 else row] = text

    def put_texts(self, key: str, row: Ints, texts: Iterable[str]) -> None:
        """A text of each of many rows."""
        self.texts.setdefault(key, {}).update(zip(row.tolist(), texts, strict=False))

    def put_sum(self, key: str, parts: list[str]) -> None:
        """A key that adds up others, in the rows that have them all, at the line of the last."""
        last, complete = self.column(parts[-1]), np.ones(len(self), np.bool_)
        for part in parts:
            complete &= self._named(part)
        kept = last.take(complete[last.row])
        total = np.sum([self.dense(part)[kept.row] for part in parts], axis=0)
        self.drop(key)
        self.put_column(key, kept.row, total, kept.line)

    def drop(self, key: str) -> None:
        """Forget a key."""
        self._entries.pop(key, None)
        self._columns.pop(key, None)

    def rename(self, key: str, name: str) -> None:
        """Call a key something else."""
        self._entries[name] = self._entries.pop(key)
        self._columns[name] = self._columns.pop(key, [])

    def spread(self, key: str, names: Mapping[int, str]) -> None:
        """Divide the numbers of a key over the names their rows give them; rows without a name are left out."""
        column = self.column(key)
        self.drop(key)
        codes: dict[str | None, int] = {None: 0}
        told = (codes.setdefault(names.get(row), len(codes)) for row in column.row.tolist())
        code = np.fromiter(told, np.int64, len(column.row))
        for name, number in codes.items():
            if name is not None:
                part = column.take(code == number)
                self.put_column(name, part.row, part.value, part.line)

    def column(self, key: str) -> Column:
        """All numbers of a key, by row."""
        parts = self._columns.get(key, [])
        if entries := self._entries[key]:
            row, value, line = np.array(entries, np.float64).reshape(-1, 3).T
            parts = [*parts, (row.astype(np.int64), value.copy(), line.astype(np.int64))]
            self._entries[key] = array("d")
        rows, values, own = parts[0] if len(parts) == 1 else _joined(parts, np.array(self.lines))
        column = Column(rows, values, np.array(self.lines)[rows] if own is None else own)
        self._columns[key] = [(rows, values, column.line)]
        return column

    def dense(self, key: str) -> Floats:
        """One number a row, shape (rows,), NaN where the row does not name the key."""
        if key not in self._entries:
            return np.full(len(self), np.nan)
        column = self.column(key)
        out = np.full(len(self), np.nan)
        out[column.row] = column.value
        return out

    def _named(self, key: str) -> npt.NDArray[np.bool_]:
        """Whether each row names a key, shape (rows,)."""
        named = np.zeros(len(self), np.bool_)
        named[self.column(key).row] = True
        return named


def _joined(parts: Sequence[_Part], lines: Ints) -> _Part:
    """Entries of several, ordered by row; those of one row as they come. `lines`: where each row stands."""
    row, value = np.concatenate([row for row, _, _ in parts]), np.concatenate([value for _, value, _ in parts])
    own = all(line is None for _, _, line in parts)
    line = None if own else np.concatenate([lines[row] if line is None else line for row, _, line in parts])
    if np.all(row[1:] >= row[:-1]):
        return row, value, line
    place = np.full(len(lines), -1)
    place[row] = np.arange(len(row))
    order = place[place >= 0]
    if len(order) < len(row):  # a row that names the key twice
        order = np.argsort(row, kind="stable")
    return row[order], value[order], None if line is None else line[order]


def tabulate(
    records: Records, bare_split: str = "", meanings: Mapping[str, Name] = MappingProxyType({})
) -> tuple[Table, tuple[Fact, ...]]:
    """The table of all measurements and the facts among the keys.

    `bare_split`: the split of keys that name none, where the format defines it (Keras: `train`). Elsewhere a key with
    a validation twin (`loss` beside `val_loss`) is the training one, and a row's own role (`"mode": "val"`) fills in.
    `meanings`: keys whose meaning the format defines.
    """
    widen(records)
    positions = locate(records)
    facts = _facts(records, positions.used)
    stated = {fact.name for fact in facts}
    taken = positions.used | {key for key in records.keys if FACTS.get("_".join(words(key))) in stated}
    names = name_keys([key for key in records.keys if key not in taken], bare_split)
    builder = TableBuilder()
    for key, name in {**names, **{key: meanings[key] for key in names if key in meanings}}.items():
        _add_column(builder, key, name, records.column(key), positions)
    return builder.build(), facts


def widen(records: Records) -> None:
    """A long table, one number a row and its name in a column of its own (`metric`, `value`), becomes a wide one."""
    texts = {"_".join(words(key)): key for key in records.texts}
    value = next((key for key in records.keys if "_".join(words(key)) in VALUE_OF_LONG), None)
    name = next((texts[key] for key in NAME_OF_LONG if key in texts), None)
    if value is None or name is None or not any(tells_metric(text) for text in set(records.texts[name].values())):
        return
    beside = [records.texts[texts[key]] for key in BESIDE_NAME if key in texts]
    records.spread(value, {row: "/".join([text, *(b[row] for b in beside if row in b)])
                           for row, text in records.texts[name].items()})  # fmt: skip


def tells_metric(name: str) -> bool:
    """Whether a name is that of a loss, another metric of the vocabulary or the learning rate."""
    return names_loss(name) or names_quality(name) or canonical(name).metric == "lr"


def _facts(records: Records, used: frozenset[str]) -> tuple[Fact, ...]:
    """Settings that stand in the rows: a number only where it never changes, a text at its first row."""
    found: dict[str, Fact] = {}
    for key in records.keys:
        fact = FACTS.get("_".join(words(key)))
        column = records.column(key)
        if fact and key not in used and fact not in found and np.all(column.value == column.value[0]):
            value = column.value[0]
            found[fact] = Fact(fact, int(value) if value.is_integer() else float(value), int(column.line[0]))
    for key, texts in records.texts.items():
        fact = FACTS.get("_".join(words(key)))
        if fact and fact not in found:
            row = min(texts)
            found[fact] = Fact(fact, texts[row], records.lines[row])
    return tuple(found.values())


def name_keys(keys: list[str], bare_split: str = "") -> dict[str, Name]:
    """What each key measures and on which data, read from the whole set of keys."""
    known = set(keys)
    names = {key: _name(key, known) for key in keys}
    held_out = {name.metric for name in names.values() if name.split in ("val", "test")}
    trained = {name.metric for name in names.values() if name.split == "train"}
    for key, (metric, split) in names.items():
        if split or metric in ("lr", "lr_multiplier", "grad_norm"):
            continue
        twin = "train" if metric in held_out and metric not in trained else ""
        names[key] = Name(metric, bare_split or twin)
    return names


def _name(key: str, keys: set[str]) -> Name:
    """`canonical`, but for `x_val` beside `x_avg` (a meter's latest value), `val_lr` (not the run's rate) and mAP
    (never taken on training data)."""
    stem = re.sub(r"[_\-/. ]val$", "", key, flags=re.IGNORECASE)
    if stem != key and any(stem + key[len(stem)] + other in keys for other in ("avg", "mean", "sum", "ave")):
        name = canonical(stem)
        return Name(name.metric + "_value", name.split)
    name = canonical(key)
    if name.metric == "lr" and any(SPLITS.get(word) in ("val", "test") for word in words(key)):
        return Name(key, "val")
    return Name(name.metric, "val") if name.metric in ("map", "map50") and not name.split else name


def _add_column(builder: TableBuilder, key: str, name: Name, column: Column, positions: Positions) -> None:
    """Add one key, its rows divided by the role the rows themselves state."""
    if name.metric == "lr" and not name.split:
        column = _without_repeats(column, positions.role[column.row])
    own = name.split or name.metric in ("lr", "lr_multiplier", "grad_norm")
    roles = positions.role[column.row]
    if own or not np.any(roles != ""):
        _add_rows(builder, key, name, column, positions)
        return
    for role in dict.fromkeys(roles.tolist()):
        part = column.take(roles == role)
        _add_rows(builder, key, Name(name.metric, role or name.split), part, positions)


def _add_rows(builder: TableBuilder, key: str, name: Name, column: Column, positions: Positions) -> None:
    rows = column.row
    dense = len(rows) == len(positions.step) and bool(np.all(rows[1:] > rows[:-1]))
    counters = {counter: _at(getattr(positions, counter), None if dense else rows) for counter in COUNTERS}
    builder.extend(key, column.value, column.line, metric=name.metric, split=name.split, **counters)


def _at(counter: Floats, rows: Ints | None) -> Floats:
    """A counter at some rows or (None) at each; one that says the same in all of them as that alone."""
    if counter.strides == (0,) and len(counter):
        return np.asarray(counter[0])
    return counter if rows is None else counter[rows]


def _without_repeats(column: Column, role: npt.NDArray[np.str_]) -> Column:
    """A rate without the rows of evaluations, which tell it again, where training's own rows tell it."""
    trained = role == "train"
    return column.take(trained) if trained.any() else column


SETTINGS_OF_LOSS = frozenset(
    "weight weights coef scale".split()
)  # what a key says that is about a loss and none itself


def names_loss(key: str) -> bool:
    """Whether a key names a loss or a close relative: what a table of training must have to be called one."""
    if canonical(key).metric in ("loss", "perplexity", "bits_per_byte", "bits_per_character"):
        return True
    said = words(key)
    return any(word.endswith(("loss", "losses")) for word in said) and SETTINGS_OF_LOSS.isdisjoint(said)


def names_quality(key: str) -> bool:
    """Whether a key names a metric of the vocabulary other than the learning rate (accuracy, error, mAP, …)."""
    metric = canonical(key).metric
    return metric in set(METRICS.values()) - {"lr", "lr_multiplier"}
