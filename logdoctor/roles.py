"""Which curves a run is judged by: the train loss, the validation loss or metric, the learning rate."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from logdoctor.run import Curve
from logdoctor_parsers.names import FILLERS, SPLITS, direction, words

MAIN_METRICS = ("accuracy", "map", "miou", "dice", "bleu", "f1", "iou", "auc", "psnr", "score", "error", "perplexity",
                "wer", "cer")  # fmt: skip
LOSS_LIKE = ("perplexity", "bits_per_byte", "bits_per_character", "mse", "rmse", "mae", "error")
EXPONENTIATED = ("perplexity", "bits_per_byte", "bits_per_character")  # other tellings of the loss itself
PLAIN = {"loss", "losses"} | FILLERS | SPLITS.keys()
SUMMARY_SHARE = 0.02  # of the points of the longest telling: below it a series is a summary
FASTEST = 100.0  # no learning rate is higher: what is just called `rate` may be one of samples per second
ENOUGH_EPOCH_MEANS = 5  # points: with fewer, the finer series says more


def train_curve(curves: Sequence[Curve]) -> Curve | None:
    """The train loss: the total before components, `train` before unsaid, else what is most like a loss."""
    mine = [c for c in curves if c.split in ("train", "") and (c.finite.any() or c.metric == "loss")]
    total = _full([c for c in mine if c.metric == "loss"])
    total = _first(total, [lambda c: c.split == "train", lambda c: True])
    if total:
        return finest(_plainest(_totals(total)))
    parts = [c for c in mine if "loss" in words(c.metric.replace("loss", " loss "))]
    if parts:
        main = _largest(_narrowed(parts, PREFERRED))
        return finest([c for c in parts if c.metric == main.metric and c.split == main.split])
    like = next((same for metric in LOSS_LIKE if (same := [c for c in mine if c.metric == metric])), [])
    if like:
        return finest(like)
    trained = [c for c in mine if c.split == "train" and direction(c.metric)]
    trained = trained or [c for c in mine if c.metric == "reward"]
    return finest(trained) if trained else None


def _totals(curves: Sequence[Curve]) -> list[Curve]:
    """The curves called total, where they are no shorter than the others."""
    total = [c for c in curves if "total" in words(c.tag)]
    longest = max(map(len, curves))
    return total if any(len(c) == longest for c in total) else list(curves)


def _plainest(curves: Sequence[Curve]) -> list[Curve]:
    """The curves simply called `loss` before those named after its kind (`CELoss`), as long as they are no shorter."""
    plain = [c for c in curves if all(word in PLAIN for word in words(c.tag))]
    longest = max(map(len, curves))
    return plain if any(len(c) == longest for c in plain) else list(curves)


def _last_part(tag: str) -> str:
    return re.split(r"[/.]", tag)[-1].strip().lower()


PREFERRED: tuple[Callable[[Curve], bool], ...] = (  # of component losses
    lambda c: not {"total", "tot", "overall"}.isdisjoint(words(c.tag)),
    lambda c: _last_part(c.tag) == "loss",  # `actor/loss` beside `actor/entropy_loss`
    lambda c: not {"g", "gen", "generator"}.isdisjoint(words(c.tag)),  # a discriminator's loss says little
)


def val_curve(curves: Sequence[Curve]) -> Curve | None:
    """The validation loss (`val` before `test`), else the main validation metric."""
    mine = [c for c in curves if c.split in ("val", "test") and (c.finite.any() or c.metric == "loss")]
    loss = _first(mine, [lambda c: c.metric == "loss" and c.split == "val", lambda c: c.metric == "loss"])
    if loss:
        return finest(loss)
    parts = [c for c in mine if "loss" in c.metric]
    told = [c for c in mine if c.metric in EXPONENTIATED]
    return _largest(parts) if parts else finest(told) if told else val_metric_curve(curves)


def val_metric_curve(curves: Sequence[Curve]) -> Curve | None:
    """The main validation metric other than a loss: accuracy, mAP, …"""
    mine = [
        c
        for c in curves
        if c.split in ("val", "test") and c.finite.any() and direction(c.metric) and "loss" not in c.metric
    ]
    mine = mine or _measured_apart(curves)
    found = next((same for metric in MAIN_METRICS if (same := [c for c in mine if c.metric == metric])), mine)
    return finest(found) if found else None


def _measured_apart(curves: Sequence[Curve]) -> list[Curve]:
    """Metrics better high of which the log does not say on what data, told on lines of their own: an evaluation's."""
    lines = {int(line) for c in curves if c.split == "train" or c.metric in ("loss", "lr") for line in c.line}
    unsaid = [c for c in curves if not c.split and c.finite.any() and direction(c.metric) > 0 and len(c) > 1]
    return [c for c in unsaid if lines and lines.isdisjoint(c.line.tolist())]


def lr_curve(curves: Sequence[Curve]) -> Curve | None:
    """The learning rate; of several groups the one that starts lowest (bias groups start high in warm-up)."""
    mine = [c for c in curves if c.metric == "lr" and c.finite.any()]
    mine = [c for c in mine if float(np.median(c.value[c.finite])) < FASTEST]
    longest = max((len(c) for c in mine), default=0)
    full = [c for c in mine if len(c) >= 0.8 * longest]
    return min(full, key=lambda c: float(c.value[c.finite][0]), default=None)


def _full(curves: Sequence[Curve]) -> list[Curve]:
    """Without the curves that are no more than a summary beside a real one (a mean printed once at the end)."""
    longest = max(map(len, curves), default=0)
    return [c for c in curves if len(c) > SUMMARY_SHARE * longest]


def _first(curves: Iterable[Curve], tests: Sequence[Callable[[Curve], bool]]) -> list[Curve]:
    """The curves that pass the first test that any of them passes."""
    curves = list(curves)
    return next((found for test in tests if (found := [c for c in curves if test(c)])), [])


def finest(curves: Sequence[Curve]) -> Curve:
    """Of several tellings of one quantity: epoch means where there are enough, else averages, else the most points."""
    means = [c for c in curves if "epoch" in words(c.tag) and len(c) >= ENOUGH_EPOCH_MEANS]
    averages = [c for c in curves if {"avg", "average", "mean"} & set(words(c.tag)) and len(c) >= max(map(len, curves))]
    return max(means or averages or curves, key=len)


def _narrowed(curves: Sequence[Curve], tests: Sequence[Callable[[Curve], bool]]) -> list[Curve]:
    """What is left of the curves when those that pass a test go before the others, test by test."""
    left = list(curves)
    for test in tests:
        left = [c for c in left if test(c)] or left
    return left


def _largest(curves: Sequence[Curve]) -> Curve:
    """Of component losses the one with most points, then the largest mean: nearest to the total."""

    def size(curve: Curve) -> tuple[int, float]:
        value = curve.value[curve.finite]
        return len(curve), float(np.mean(np.abs(value))) if len(value) else 0.0

    return max(curves, key=size)
