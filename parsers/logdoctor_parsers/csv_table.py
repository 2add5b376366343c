"""CSV and TSV tables of other trainers: Lightning, timm, Ultralytics YOLO, Chainer, pandas dumps, hand-written ones.

One row holds what was logged at one moment, under the header's names. Cells may be empty: Lightning writes training,
validation and learning rate in rows of their own. What a header alone cannot say, but the tool that writes it defines,
stands in `DIALECTS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePath

from logdoctor_parsers.contract import LogFile, Match, ParsedLog
from logdoctor_parsers.delimited import (
    Header,
    describes_training,
    header_of,
    in_keras_order,
    physical_lines,
    split_cells,
)
from logdoctor_parsers.delimited_rows import Delimited, parsed, read_rows
from logdoctor_parsers.names import Name, canonical, words
from logdoctor_parsers.positions import EPOCH, STEP
from logdoctor_parsers.record_table import NAME_OF_LONG, VALUE_OF_LONG, names_loss, names_quality, tabulate
from logdoctor_parsers.records import number

_CONTINUATION = re.compile(
    r"(.+?)[_.-]?(?:resumed?|restart(?:ed)?|cont(?:inued?)?|part)[_.-]?\d*(\.\w+)", re.IGNORECASE
)
MLFLOW = "MLflow metric"
_MLFLOW_LINE = re.compile(rb"\d{13} \S+ -?\d+\r?(?:\n|$)")  # time in ms, value, step
_TAG_IN_NAME = re.compile(r"(?:^|[/_-])tag-(.+?)(?:\.csv|\.tsv|\.txt)*$", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """A tool's own table: how its header is told, and what its columns mean beyond their names.

    `prepare` may add columns the tool defines and returns the meaning of columns by name.
    """

    name: str
    claims: Callable[[Header], bool]
    prepare: Callable[[Delimited], dict[str, Name]] = lambda found: {}
    bare_split: str = ""


def _describes_long_table(header: Header, file: LogFile) -> Match:
    """Whether the numbers of a table have their names in a column of its own, and among them a loss."""
    normal = ["_".join(words(name)) for name in header.names]
    name = next((normal.index(key) for key in NAME_OF_LONG if key in normal), -1)
    if name < 0 or not set(VALUE_OF_LONG) & set(normal) or not set(EPOCH + STEP) & set(normal):
        return Match.NO
    rows = [split_cells(line, header.delimiter) for line in physical_lines(file.head)[header.line :]]
    return Match.SURE if any(len(row) > name and names_loss(row[name]) for row in rows) else Match.NO


def _is_yolo(header: Header) -> bool:
    return any(name.startswith("metrics/") for name in header.names)


def _prepare_yolo(found: Delimited) -> dict[str, Name]:
    """Ultralytics' loss is the sum of its items, weighted already; `metrics/…` are taken on the validation set."""
    meanings: dict[str, Name] = {}
    keys = found.records.keys
    for role in ("train", "val"):
        items = [key for key in keys if key.startswith(f"{role}/") and names_loss(key)]
        if len(items) > 1 and f"{role}/loss" not in items:
            total = " + ".join(items)
            found.records.put_sum(total, items)
            meanings[total] = Name("loss", role)
    for key in keys:
        if key.startswith("metrics/"):
            meanings[key] = Name(canonical(re.sub(r"\([A-Z]\)$", "", key.removeprefix("metrics/"))).metric, "val")
    return meanings


def _is_dawnbench(header: Header) -> bool:
    return header.names[:2] == ("epoch", "hours") and "top1Accuracy" in header.names


def _is_fastai(header: Header) -> bool:
    return header.names[:3] == ("epoch", "train_loss", "valid_loss") and header.names[-1] == "time"


def _is_wandb(header: Header) -> bool:
    return any(name.endswith("__MAX") for name in header.names)


def _prepare_wandb(found: Delimited) -> dict[str, Name]:
    """A chart's download: columns `run - metric`, each followed by the extremes of the points drawn as one."""
    for key in found.records.keys:
        if key.endswith(("__MIN", "__MAX")):
            found.records.drop(key)
    return {key: canonical(key.rpartition(" - ")[2]) for key in found.records.keys if " - " in key}


def _is_neptune(header: Header) -> bool:
    return any(name.endswith(" (value)") for name in header.names)


def _prepare_neptune(found: Delimited) -> dict[str, Name]:
    """A chart's download: `loss (step)`, `loss (timestamp)`, `loss (value)`."""
    for key in found.records.keys:
        base, _, kind = key.rpartition(" (")
        if kind == "step)" and "step" not in found.records.keys:
            found.records.rename(key, "step")
        elif kind == "value)":
            found.records.rename(key, base)
        elif kind in ("step)", "timestamp)"):
            found.records.drop(key)
    return {}


def _is_lightning(header: Header) -> bool:
    return {"epoch", "step"} <= set(header.names)


DIALECTS = (
    Dialect("Ultralytics YOLO results", _is_yolo, _prepare_yolo),
    Dialect("DAWNBench", _is_dawnbench, bare_split="val"),
    Dialect("fastai", _is_fastai, bare_split="val"),  # its metrics are taken on the validation set
    Dialect("Weights & Biases chart", _is_wandb, _prepare_wandb),
    Dialect("Neptune chart", _is_neptune, _prepare_neptune),
    Dialect("Lightning metrics", _is_lightning),
)
PLAIN = Dialect("table", lambda header: True)


@dataclass(frozen=True)
class CsvTable:
    """Any delimited table whose header names metrics of training."""

    name: str = "csv"
    description: str = "CSV/TSV tables of metrics: Lightning, timm, YOLO, pandas, hand-written"

    def sniff(self, file: LogFile) -> Match:
        if mlflow_tag(file):
            return Match.SURE
        header = header_of(file)
        if header is None:
            return Match.SURE if header_of_first_part(file) is not None else Match.NO
        if in_keras_order(header):
            return Match.NO
        if tensorboard_tag(header, file.name):
            return Match.SURE
        return describes_training(header) or _describes_long_table(header, file)

    def parse(self, file: LogFile) -> ParsedLog:
        if tag := mlflow_tag(file):
            found, _ = read_rows(file, Header(("timestamp", tag, "step"), " ", 0))
            return parsed(self.name, found, *tabulate(found.records), MLFLOW)
        found, header = read_rows(file, header_of_first_part(file) if header_of(file) is None else None)
        if tag := tensorboard_tag(header, file.name):
            if header.names[-1] in found.records.keys:
                found.records.rename(header.names[-1], tag)
            dialect = Dialect("TensorBoard download", _is_tensorboard)
        else:
            dialect = next((each for each in DIALECTS if each.claims(header)), PLAIN)
        meanings = dialect.prepare(found)
        table, facts = tabulate(found.records, dialect.bare_split, meanings)
        return parsed(self.name, found, table, facts, dialect.name)


def header_of_first_part(file: LogFile) -> Header | None:
    """The header of a table that goes on in another file without one: that of `train.csv` for `train_resume.csv`."""
    named = _CONTINUATION.fullmatch(file.path.name)
    first = file.path.with_name(named[1] + named[2]) if named is not None and file.content is None else file.path
    if first == file.path or not first.is_file():
        return None
    header = header_of(LogFile(first, first.name, limits=file.limits))
    if header is None or in_keras_order(header) or not describes_training(header):
        return None
    rows = [split_cells(line, header.delimiter) for line in physical_lines(file.head)[:-1]]
    fitting = [row for row in rows if len(row) == len(header.names) and all(number(c) is not None for c in row if c)]
    return replace(header, line=0) if fitting and 2 * len(fitting) >= len(rows) else None


def mlflow_tag(file: LogFile) -> str:
    """The tag of a metric MLflow keeps in a file of its own, `…/metrics/train/loss` (empty: the file is none)."""
    folders = file.path.parts[:-1]
    if "metrics" not in folders or not _MLFLOW_LINE.match(file.head[:200]):
        return ""
    below = len(folders) - folders[::-1].index("metrics")
    return "/".join(file.path.parts[below:])


def _is_tensorboard(header: Header) -> bool:
    return [name.lower() for name in header.names] == ["wall time", "step", "value"]


def tensorboard_tag(header: Header, file_name: str) -> str:
    """The tag of a series downloaded from TensorBoard (empty: none is).

    Its file is called `run-…-tag-….csv` or, by its owner, after what it holds.
    """
    if not _is_tensorboard(header):
        return ""
    found = _TAG_IN_NAME.search(file_name)
    tag = found[1] if found is not None else PurePath(file_name).stem
    return tag if names_loss(tag) or names_quality(tag) or canonical(tag).metric == "lr" else ""


PARSER = CsvTable()
