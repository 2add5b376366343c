"""Vocabulary: a tag as logged → what it measures and on which data. One table for all parsers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from logdoctor_parsers.languages import english


class Name(NamedTuple):
    """Canonical metric and split (`train`, `val`, `test`, or empty where the tag does not say)."""

    metric: str
    split: str


SPLIT_WORDS = {
    "train": "train training tr trn tl trl learn trainset",
    "val": "val valid validation eval evaluation evaluating dev vl devel cv heldout holdout vld vali valset devset",
    "test": "test testing tst te tel testset",
}
SPLITS = {word: split for split, spoken in SPLIT_WORDS.items() for word in spoken.split()}

# What stands around a metric's name without changing what it measures.
FILLERS = frozenset(
    (
        "epoch step iter iteration iterations batch mini minibatch mean avg average running vs total tot all overall "
        "sum set main data metric metrics smoothed current final value info subset context hz per s updating "
        "updated adjusting adjusted avr reduced rollout"
    ).split()
)

# What each metric is called in logs: canonical name → the words of a tag, joined by `_`.
ALIASES = {
    "loss": (
        "loss losses cost objective nll xent trl tel lm_loss cross_entropy crossentropy ce_loss nll_loss "
        "cross_entropy_loss crossentropyloss ce bce language_cross_entropy logloss log_loss binary_logloss "
        "multi_logloss mlogloss"
    ),
    "smooth_l1_loss": "smoothl1",
    "value_loss": "value_loss",  # of reinforcement learning; elsewhere `value` says nothing
    "bits_per_byte": "bpb",
    "bits_per_character": "bpc",
    "perplexity": "language_perplexity ppl perplexity",
    "lr": "lr learning_rate learningrate base_learning_rate l_r rate lrs learning_rates learning_rate_sample",
    "lr_multiplier": "lrm lr_mult",
    "accuracy": (
        "acc accuracy acc1 top1 prec1 acc_1 top_1 prec_1 accuracy_top1 accuracy_top_1 acc_top1 top1accuracy "
        "top1_acc top1_accuracy categorical_accuracy sparse_categorical_accuracy binary_accuracy "
        "top_1_accuracy acc_top_1 accs accuracies"
    ),
    "accuracy_top5": "acc5 top5 prec5 acc_5 top_5 prec_5 accuracy_top5 accuracy_top_5 top_5_accuracy",
    "error": "errors error1 error_1 err error error_rate err_top1 err1 err_1",
    "error_top5": "error5 error_5 err_top5 err5",
    "grad_norm": "grad_norm gradnorm gnorm gradient_norm global_grad_norm norm",
    "map50": "map50 map_50 map_0_5 map_5",
    "map": "map50_95 map_50_95 map_0_5_0_95 map_5_95 map m_ap detection_eval bbox_map bbox_m_ap ap bbox_ap",
    "miou": "miou m_iou mean_iou mean_io_u",
    "iou": "iou iou_score jaccard",
    "dice": "dice dice_coef dice_score dice_coefficient dsc",
    "mae": "mae mean_absolute_error",
    "mse": "mse mean_squared_error",
    "rmse": "rmse rms rms_error root_mean_squared_error",
    "bleu": "bleu",
    "f1": "f1 f1_score",
    "score": "score",
    "reward": (
        "reward rewards episode_reward episode_rewards episode_return episode_returns ep_rew eprew eprewmean ep_ret "
        "episodic_return average_return avg_return mean_return"
    ),
    "log_likelihood": "log_likelihood loglikelihood log_prob logprob log_probability objf",
    "psnr": "psnr",
    "ssim": "ssim",
    "auc": "auc",
    "cer": "cer",
    "wer": "wer",
    "fid": "fid",
    "precision": "precision",
    "recall": "recall",
    "r2": "r2",
    "epe": "epe end_point_error",
    "mrr": "mrr mean_reciprocal_rank",
    "ndcg": "ndcg",
}
METRICS = {alias: metric for metric, aliases in ALIASES.items() for alias in aliases.split()}

HIGHER_IS_BETTER = frozenset(
    (
        "accuracy accuracy_top5 map map50 miou iou dice bleu f1 score reward psnr ssim auc precision recall r2"
        " log_likelihood mrr ndcg hits"
    ).split()
)
LOWER_IS_BETTER = frozenset(
    "loss error error_top5 perplexity mae mse rmse cer wer fid epe bits_per_byte bits_per_character".split()
)

_LR = re.compile(
    r"(?:^|.*[/_\-. ])(?:lr|learning_rate)"
    r"(?:[/_\-. ]?(?:pg|group|g)?_?\d*"  # lr, lr0, x/lr2, lr/pg1
    r"|[-/_]\w*(?:adam|sgd|rmsprop|adagrad|adafactor|lamb|lion|muon)\w*(?:-\d+)?(?:[-/](?:pg|group)\d+)?)$",
    re.IGNORECASE,
)
_COMPOUND = re.compile(r"(?<![a-z])(?:train|test|val|valid)(?=(?:loss|acc|accuracy|error)(?![a-z]))")  # `trainloss`
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_WORDS = re.compile(r"[a-z]+\d*|\d+")


def words(tag: str) -> list[str]:
    """A tag's words in lower case and in English: `Loss/train`, `valLoss`, `val_Acc@1` → [loss, train], [val, loss],
    [val, acc, 1]."""
    return list(_words(tag))


@lru_cache(maxsize=65536)
def _words(tag: str) -> tuple[str, ...]:
    return tuple(_WORDS.findall(_COMPOUND.sub(r"\g<0>_", _CAMEL.sub("_", english(tag)).lower())))


@lru_cache(maxsize=65536)
def canonical(tag: str) -> Name:
    """What a tag measures and on which data; an unknown metric keeps its own name, without the words for the split."""
    if _LR.match(tag):
        return Name("lr", "")
    parts = words(tag)
    if (whole := METRICS.get("_".join(parts))) is not None and not any(
        word in SPLITS for word in parts if word != "eval"
    ):
        return Name(whole, "")
    split = next((SPLITS[word] for word in parts if word in SPLITS), "")
    rest = [
        word
        for i, word in enumerate(parts)
        if (word not in SPLITS or word in METRICS) and not (i and word.isdigit() and parts[i - 1] in SPLITS)
    ]  # without the digit of `valid_0`
    core = list(dict.fromkeys(word for word in rest if word not in FILLERS))  # `Loss/total_loss` says loss twice
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
