"""Print formats that say what a number is only by its place, as data; and marks by which a dialect is known."""

from __future__ import annotations

import re
from dataclasses import dataclass

from logdoctor_parsers.pattern import Pattern

# Each is tried once a line shape. The general reader needs no entry for formats that name their numbers.
PATTERNS: tuple[Pattern, ...] = (
    Pattern("{step}: {loss}, {loss (avg)} avg loss, {lr} rate, {_} seconds, {_} images", "darknet"),
    Pattern("{step}: {loss}, {loss (avg)} avg, {lr} rate, {_} seconds, {_} images", "darknet"),
    Pattern(
        "{epoch}/{epochs} {_} {box_loss} {obj_loss} {cls_loss} {total_loss} {_} {_} {precision} {recall} {mAP50}"
        " {mAP50-95} {val box_loss} {val obj_loss} {val cls_loss}",
        "yolov5 results.txt",
    ),
    Pattern("Loss for final step: {loss}", "tf.estimator"),
    Pattern("Train loss {step} {loss} Grad Norm {grad_norm} {_}", "tacotron2", "train"),
    Pattern("Validation loss {step}: {loss}", "tacotron2", "val"),
    Pattern(
        "LOG {_} Average objective function for 'output' for minibatches {step}-{_} is {objf} over {_} frames.",
        "kaldi nnet3",
        "train",
    ),
    Pattern("iter {step} value {loss}", "R nnet"),
    Pattern("{_}m {_}s (- {_}m {_}s) ({step} {_}%) {loss}", "pytorch sequence tutorial"),
)


@dataclass(frozen=True)
class Mark:
    """A dialect and a line that only it prints."""

    name: str
    line: re.Pattern[str]


def _mark(name: str, line: str) -> Mark:
    return Mark(name, re.compile(line, re.MULTILINE))


MARKS: tuple[Mark, ...] = (
    _mark("pytorch imagenet example", r"^Epoch: \[\d+\]\[ *\d+/\d+\]\s+(?:lr: \S+\s+)?Time +[\d.]+ \( *[\d.]+\)"),
    _mark("pytorch mnist example", r"^Train Epoch: \d+ \[\d+/\d+ \(\d+%\)\]\s+Loss: "),
    _mark("pytorch word language model", r"^\| epoch +\d+ \| +\d+/ *\d+ batches \| lr "),
    _mark("timm", r"Train: \d+ \[ *\d+/\d+ \( *\d+%\)\] +Loss: "),
    _mark("torchvision", r"^Epoch: \[\d+\] +\[ *\d+/\d+\] +eta: "),
    _mark("mmengine", r" - mm\w+ - INFO - Epoch ?\(?\w*\)? ?\[\d+\]\[ *\d+/\d+\]"),
    _mark("detectron2", r"^\[\d\d/\d\d \d\d:\d\d:\d\d[^\]]*\].* eta: .* iter: \d+ +total_loss: "),
    _mark("megatron", r"^ ?iteration +\d+/ +\d+ \| consumed samples: "),
    _mark("nanoGPT", r"^step \d+: train loss [\d.]+, val loss [\d.]+"),
    _mark("llm.c", r"^s:\d+ (?:trl|tel):"),
    _mark(
        "hugging face trainer", r"\{'loss': '?[\d.eE+-]+'?, (?:'grad_norm': .*)?'learning_rate': |\{'train_runtime': "
    ),
    _mark("mxnet", r"Epoch\[\d+\] Batch \[[\d-]+\]\s+Speed: [\d.]+ samples/sec"),
    _mark("darknet", r"^ ?\d+: [\d.]+, [\d.]+ avg(?: loss)?, [\d.]+ rate, "),
    _mark("tensorflow estimator", r"^INFO:tensorflow:(?:loss = [\d.]+, step = \d+|global step \d+: loss = )"),
    _mark("swin transformer", r"INFO Train: \[\d+/\d+\]\[\d+/\d+\]\s+eta "),
    _mark("yolox", r"epoch: \d+/\d+, iter: \d+/\d+, mem: "),
    _mark("skorch", r"^ +epoch +train_loss +valid_acc +valid_loss"),
    _mark("fastai", r"^epoch +train_loss +valid_loss "),
    _mark("deepspeed", r"\[Rank 0\] step=\d+, skipped=\d+, lr=\["),
)


def dialect_of(text: str) -> str:
    """The name of the dialect some lines of a log are written in; empty where none is certain."""
    return next((mark.name for mark in MARKS if mark.line.search(text)), "")
