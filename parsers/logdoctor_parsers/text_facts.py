"""Settings a log states: arguments, configuration dumps, trainer banners."""

from __future__ import annotations

import re

from logdoctor_parsers.contract import Fact

# Fact → the names logs use for it, in lower case with `_` for blanks and dashes.
NAMES = {
    "batch_size": (
        "batch_size batchsize bs train_batch_size train_bs global_batch_size per_device_train_batch_size"
        " instantaneous_batch_size_per_device micro_batch_size train_micro_batch_size_per_gpu images_per_batch"
        " ims_per_batch samples_per_gpu batch_size_per_gpu input_batch_size"
    ),
    "dataset_size": (
        "num_examples num_train_examples num_train_samples train_samples dataset_size train_size num_samples"
    ),
    "epochs": (
        "epochs num_epochs max_epochs max_epoch num_epoch n_epochs nepochs total_epochs num_train_epochs"
        " nb_epoch end_epoch"
    ),
    "max_iter": (
        "max_iter max_iters max_steps train_iters total_optimization_steps total_steps num_iterations"
        " total_iters num_training_steps training_steps how_many_training_steps num_train_steps max_iteration"
    ),
    "base_lr": "base_lr lr learning_rate initial_lr init_lr lr_init lr0",
    "momentum": "momentum mom sgd_momentum",
    "weight_decay": "weight_decay wd decay l2",
    "optimizer": "optimizer optim opt optimizer_name optimizer_type",
    "steps_per_epoch": "steps_per_epoch iters_per_epoch batches_per_epoch num_batches_per_epoch",
    "devices": "world_size num_gpus ngpus n_gpu num_devices gpu_count num_processes nproc_per_node",
    "accumulation": (
        "gradient_accumulation_steps accumulate_grad_batches accum_iter grad_accum_steps iter_size"
        " accumulation_steps update_freq"
    ),
    "seed": "seed manual_seed random_seed",
    "warmup_epochs": "warmup_epochs",
    "warmup_steps": "warmup_steps warmup_iters num_warmup_steps",
    "lr_policy": "lr_policy lr_scheduler lr_scheduler_type scheduler lr_schedule sched lr_decay_style",
}
_TEXTUAL = ("optimizer", "lr_policy")
_LARGE = ("batch_size", "dataset_size", "epochs", "max_iter", "steps_per_epoch", "devices", "accumulation")
_FACT_OF = {name: fact for fact, names in NAMES.items() for name in names.split()}
_ALTERNATIVES = "|".join(sorted((re.escape(name).replace("_", "[ _-]") for name in _FACT_OF), key=len, reverse=True))
_PAIR = re.compile(
    rf"(?<![\w.])(?:--)?[\"']?(?P<name>{_ALTERNATIVES})[\"']?(?P<sep>\s*(?:\([^()]*\)\s*)?(?:=|:|\.{{3,}}|\s\|)\s*|(?<=\w)\s(?=\S))"
    r"[\"'<\[]?(?P<value>[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]*[A-Za-z])|[A-Za-z][\w.]*)",
    re.IGNORECASE,
)
_LAYER = re.compile(
    r"Norm\w*\(|Conv\w*\(|Dropout\(|Linear\("
)  # a model's own settings: `BatchNorm2d(64, momentum=0.1)`
_PHRASE = re.compile(r"train(?:ing)? (?:images|samples|examples)\s*[=:]\s*(?P<dataset_size>\d+)", re.IGNORECASE)


def facts_in(text: str, line: int) -> list[Fact]:
    """The settings one line states; empty for most lines."""
    facts: list[Fact] = []
    if _LAYER.search(text):
        return facts
    for match in _PAIR.finditer(text):
        fact = _FACT_OF[re.sub(r"[ -]", "_", match["name"].lower())]
        if not match["sep"].strip() and "--" + match["name"] not in text:
            continue  # `name value` is an argument only after `--`
        value = _value(fact, match["value"])
        if value is not None:
            facts.append(Fact(fact, value, line))
    if (images := _PHRASE.search(text)) is not None:
        facts.append(Fact("dataset_size", int(images["dataset_size"]), line))
    return facts


def _value(fact: str, text: str) -> int | float | str | None:
    """A setting's value in the type its fact has; None where it has another."""
    if fact in _TEXTUAL:
        return text if text[0].isalpha() and text.lower() not in ("none", "null", "true", "false") else None
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return None
    if fact in _LARGE:
        return int(value) if value >= 1 and value == int(value) else None
    return int(value) if fact == "seed" and value == int(value) else value
