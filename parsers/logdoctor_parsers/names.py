"""Vocabulary: a tag as logged → what it measures and on which data. One table for all parsers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


class Name(NamedTuple):
    """Canonical metric and split (`train`, `val`, `test`, or empty where the tag does not say)."""

    metric: str
    split: str


SPLITS = {
    "train": "train", "training": "train", "tr": "train", "trn": "train", "trl": "train", "learn": "train",
    "val": "val", "valid": "val", "validation": "val", "eval": "val", "evaluation": "val", "evaluating": "val",
    "dev": "val", "vl": "val", "devel": "val", "cv": "val", "heldout": "val", "vld": "val", "vali": "val",
    "test": "test", "testing": "test", "tst": "test", "tel": "test", "testset": "test", "trainset": "train", "valset": "val", "devset": "val",
}  # fmt: skip

# What stands around a metric's name without changing what it measures.
FILLERS = {"epoch", "step", "iter", "iteration", "iterations", "batch", "mean", "avg", "average", "running", "vs", "total",
           "tot", "all", "overall", "sum", "set", "main", "data", "metric", "metrics", "smoothed", "current", "final", "value", "s"}  # fmt: skip

METRICS = {
    "loss": "loss", "losses": "loss", "cost": "loss", "objective": "loss", "nll": "loss", "xent": "loss", "trl": "loss",
    "tel": "loss", "lm_loss": "loss", "cross_entropy": "loss", "crossentropy": "loss", "ce_loss": "loss", "smoothl1": "smooth_l1_loss", "bpb": "bits_per_byte",
    "bpc": "bits_per_character", "nll_loss": "loss", "cross_entropy_loss": "loss", "crossentropyloss": "loss", "ce": "loss", "bce": "loss",
    "language_cross_entropy": "loss", "language_perplexity": "perplexity",
    "logloss": "loss", "log_loss": "loss", "binary_logloss": "loss", "multi_logloss": "loss", "mlogloss": "loss",
    "lr": "lr", "learning_rate": "lr", "learningrate": "lr", "l_r": "lr", "rate": "lr", "lrs": "lr",
    "lrm": "lr_multiplier", "lr_mult": "lr_multiplier",
    "acc": "accuracy", "accuracy": "accuracy", "acc1": "accuracy", "top1": "accuracy", "prec1": "accuracy", "acc_1": "accuracy",
    "top_1": "accuracy", "prec_1": "accuracy", "accuracy_top1": "accuracy", "accuracy_top_1": "accuracy", "acc_top1": "accuracy",
    "top1accuracy": "accuracy", "top1_acc": "accuracy", "top1_accuracy": "accuracy", "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy", "binary_accuracy": "accuracy", "top_1_accuracy": "accuracy", "acc_top_1": "accuracy",
    "acc5": "accuracy_top5", "top5": "accuracy_top5", "prec5": "accuracy_top5", "acc_5": "accuracy_top5", "top_5": "accuracy_top5",
    "prec_5": "accuracy_top5", "accuracy_top5": "accuracy_top5", "accuracy_top_5": "accuracy_top5", "top_5_accuracy": "accuracy_top5",
    "accs": "accuracy", "accuracies": "accuracy", "learning_rates": "lr",
    "errors": "error", "error1": "error", "error_1": "error", "error5": "error_top5", "error_5": "error_top5",
    "err": "error", "error": "error", "error_rate": "error", "err_top1": "error", "err1": "error", "err_1": "error",
    "err_top5": "error_top5", "err5": "error_top5",
    "ppl": "perplexity", "perplexity": "perplexity", "grad_norm": "grad_norm", "gradnorm": "grad_norm", "gnorm": "grad_norm",
    "gradient_norm": "grad_norm", "global_grad_norm": "grad_norm", "norm": "grad_norm",
    "map50": "map50", "map_50": "map50", "map_0_5": "map50", "map50_95": "map", "map_50_95": "map", "map_0_5_0_95": "map",
    "map": "map", "m_ap": "map", "detection_eval": "map", "bbox_map": "map", "bbox_m_ap": "map", "ap": "map", "bbox_ap": "map",
    "miou": "miou", "m_iou": "miou", "mean_iou": "miou", "mean_io_u": "miou", "iou": "iou", "dice": "dice", "dice_coef": "dice",
    "mae": "mae", "mean_absolute_error": "mae", "mse": "mse", "mean_squared_error": "mse", "rmse": "rmse",
    "root_mean_squared_error": "rmse", "bleu": "bleu", "f1": "f1", "f1_score": "f1", "score": "score", "reward": "reward",
    "psnr": "psnr", "ssim": "ssim", "auc": "auc", "cer": "cer", "wer": "wer", "fid": "fid", "precision": "precision",
    "recall": "recall", "r2": "r2",
}  # fmt: skip

HIGHER_IS_BETTER = {"accuracy", "accuracy_top5", "map", "map50", "miou", "iou", "dice", "bleu", "f1", "score", "reward", "psnr", "ssim",
                    "auc", "precision", "recall", "r2"}  # fmt: skip
LOWER_IS_BETTER = {"loss", "error", "error_top5", "perplexity", "mae", "mse", "rmse", "cer", "wer", "fid", "bits_per_byte",
                   "bits_per_character"}  # fmt: skip

_LR = re.compile(r"(?:^|.*[/_\-. ])(?:lr|learning_rate)(?:[/_\-. ]?(?:pg|group|g)?_?\d*|[-/_]\w*(?:adam|sgd|rmsprop|adagrad|adafactor|lamb|lion|muon)\w*"
                 r"(?:-\d+)?(?:[-/](?:pg|group)\d+)?)$", re.IGNORECASE)  # fmt: skip
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_WORDS = re.compile(r"[a-z]+\d*|\d+")


def words(tag: str) -> list[str]:
    """A tag's words in lower case: `Loss/train`, `valLoss`, `val_Acc@1` → [loss, train], [val, loss], [val, acc, 1]."""
    return _WORDS.findall(_CAMEL.sub("_", tag).lower())


@lru_cache(maxsize=65536)
def canonical(tag: str) -> Name:
    """What a tag measures and on which data; an unknown metric keeps its own name, without the words for the split."""
    if _LR.match(tag):
        return Name("lr", "")
    parts = words(tag)
    if (whole := METRICS.get("_".join(parts))) is not None and not any(word in SPLITS for word in parts if word != "eval"):
        return Name(whole, "")
    split = next((SPLITS[word] for word in parts if word in SPLITS), "")
    rest = [
        word for i, word in enumerate(parts)
        if (word not in SPLITS or word in METRICS) and not (i and word.isdigit() and parts[i - 1] in SPLITS)  # `valid_0`
    ]  # fmt: skip
    core = list(dict.fromkeys(word for word in rest if word not in FILLERS))   # `Loss/total_loss` says loss twice
    for candidate in ("_".join(rest), "_".join(core)):
        if candidate in METRICS:
            metric = METRICS[candidate]
            return Name(metric, "" if metric in ("lr", "lr_multiplier", "grad_norm") else split)
    own = tag.strip() if not split else "_".join(rest)
    return Name(own or tag.strip() or "value", split)


def direction(metric: str) -> int:
    """+1 where higher is better, -1 where lower is, 0 where unknown. Any `…loss…` or `…error…` is better low."""
    if metric in HIGHER_IS_BETTER or any(word in HIGHER_IS_BETTER for word in words(metric)):
        return 1
    if metric in LOWER_IS_BETTER or any("loss" in word or word in LOWER_IS_BETTER for word in words(metric)):
        return -1
    return 0
