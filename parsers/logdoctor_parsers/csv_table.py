"""CSV and TSV tables of other trainers: Lightning, timm, Ultralytics YOLO, Chainer, pandas dumps, hand-written ones.

One row holds what was logged at one moment, under the header's names. Cells may be empty: Lightning writes training,
validation and learning rate in rows of their own. What a header alone cannot say, but the tool that writes it defines,
stands in `DIALECTS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from logdoctor_parsers.contract import LogFile, Match, ParsedLog
from logdoctor_parsers.delimited import (
    Delimited,
    Header,
    describes_training,
    header_of,
    in_keras_order,
    parsed,
    read_rows,
)
from logdoctor_parsers.names import Name, canonical
from logdoctor_parsers.records import names_loss, names_quality, tabulate

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


def _is_lightning(header: Header) -> bool:
    return {"epoch", "step"} <= set(header.names)


DIALECTS = (
    Dialect("Ultralytics YOLO results", _is_yolo, _prepare_yolo),
    Dialect("DAWNBench", _is_dawnbench, bare_split="val"),
    Dialect("fastai", _is_fastai, bare_split="val"),  # its metrics are taken on the validation set
    Dialect("Weights & Biases chart", _is_wandb, _prepare_wandb),
    Dialect("Lightning metrics", _is_lightning),
)
PLAIN = Dialect("table", lambda header: True)


@dataclass(frozen=True)
class CsvTable:
    """Any delimited table whose header names metrics of training."""

    name: str = "csv"
    description: str = "CSV/TSV tables of metrics: Lightning, timm, YOLO, pandas, hand-written"

    def sniff(self, file: LogFile) -> Match:
        header = header_of(file)
        if header is None or in_keras_order(header):
            return Match.NO
        if tensorboard_tag(header, file.name):
            return Match.SURE
        return describes_training(header)

    def parse(self, file: LogFile) -> ParsedLog:
        found, header = read_rows(file)
        if tag := tensorboard_tag(header, file.name):
            if header.names[-1] in found.records.keys:
                found.records.rename(header.names[-1], tag)
            dialect = Dialect("TensorBoard download", _is_tensorboard)
        else:
            dialect = next((each for each in DIALECTS if each.claims(header)), PLAIN)
        meanings = dialect.prepare(found)
        table, facts = tabulate(found.records, dialect.bare_split, meanings)
        return parsed(self.name, found, table, facts, dialect.name)


def _is_tensorboard(header: Header) -> bool:
    return [name.lower() for name in header.names] == ["wall time", "step", "value"]


def tensorboard_tag(header: Header, file_name: str) -> str:
    """The tag of a series downloaded from TensorBoard, whose file is called `run-…-tag-….csv` (empty: none)."""
    found = _TAG_IN_NAME.search(file_name)
    if found is None or not _is_tensorboard(header):
        return ""
    told = names_loss(found[1]) or names_quality(found[1]) or canonical(found[1]).metric == "lr"
    return found[1] if told else ""


PARSER = CsvTable()
