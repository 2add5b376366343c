"""Rows of named numbers → the common table: which keys are positions (see `positions`), and what the others measure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.contract import Fact, Floats, Ints, Table
from logdoctor_parsers.names import METRICS, SPLITS, Name, canonical, words
from logdoctor_parsers.positions import Positions, locate
from logdoctor_parsers.records import Column, Records
from logdoctor_parsers.table_builder import COUNTERS, TableBuilder

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
