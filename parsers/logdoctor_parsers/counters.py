"""The counters of a line: which of its numbers say where training stands, as epoch, step or batch."""

from __future__ import annotations

import re

from logdoctor_parsers.drafts import Draft
from logdoctor_parsers.names import words

_WHOLE = re.compile(r"\d(?:\.\d+)?e\+?(?!0+$)\d+")  # `1.2e+04`
_FLOAT_COUNT = re.compile(r"\d+\.0*")  # `99.0`
_COUNTED_BAR = re.compile(r"\|\0\|[A-Za-z]")
_TO = re.compile(r"\s*(?:-|\.\.|to)\s*")  # between the first and the last of a range of batches
_ITERATIONS = frozenset("iterations steps batches iters updates".split())
_BEFORE_COUNT = re.compile(r"\b(?:after|at)\s*$", re.IGNORECASE)
_LEADS = re.compile(  # `[12] loss`, `[12 | 30.5] loss`, `12: loss`, `12 val`
    r"\[#?\0(?:\]| \| ).*|\0\s+|\0(?:\s*[:|,;)\t]|\s+[\[({<|-]|\s{2,}|\s+(?:train|val|valid|test|dev|eval)\b).*",
    re.DOTALL | re.IGNORECASE,
)


def take_epoch(draft: Draft, i: int, fraction: bool) -> int:
    """The epoch, the first time one is told; of how many, where that follows. Returns how many numbers it uses up."""
    if draft.epoch < 0:
        draft.epoch, draft.epochs = i, i + 1 if fraction else -1
    return 2 if fraction else 1


def take_epochs_before_bracket(draft: Draft, i: int) -> int:
    """`Train: 3/80 (4%) [ 10/928 …`: the fraction counts epochs; returns how many numbers it uses up, 0 for others."""
    used = 3 if i + 3 < len(draft.texts) and draft.texts[i + 2].strip() == "(" and draft.units[i + 2] == "%" else 2
    after = i + used
    if draft.epoch >= 0 or after + 1 >= len(draft.example) or not draft.texts[after].rstrip().endswith("["):
        return 0
    draft.epoch, draft.epochs = i, i + 1
    return used


def take_counter(draft: Draft, i: int, fraction: bool) -> int:
    """Steps or batches, as far as the number at `i` counts; returns how many numbers it uses up."""
    said = words(draft.keys[i].phrase)
    if not _is_whole(draft.example[i], "global" in said):
        return 2 if fraction else 1  # a share of an epoch
    if fraction and said[-1] == "batch" and draft.epoch < 0 and _is_no_total(*draft.example[i : i + 2]):
        draft.epoch, draft.count, draft.counter, draft.in_epoch = i, i + 1, "batch", True  # `batch 3/0`: of epoch 3
        return 2
    if not fraction and ("global" in said or said[-1].endswith("updates")):
        draft.step = i if draft.step < 0 or "total" in said else draft.step
    elif not fraction and draft.total >= 0 and draft.in_epoch and said[-1].startswith("it"):  # beside `batch 3/90`
        draft.step = i if draft.step < 0 else draft.step
    elif draft.count < 0:
        draft.count, draft.total = i, i + 1 if fraction else -1
        draft.counter = said[-1]
        draft.in_epoch = draft.counter.startswith(("batch", "minibatch")) or said[0] == "epoch"  # `epoch step: 12`
    return 2 if fraction else 1


def _is_whole(number: str, of_all: bool) -> bool:
    """Whether a number can count; `of_all`: all steps, which may be printed as `99.0`."""
    return number.rstrip(".").isdigit() or bool(_WHOLE.fullmatch(number) or (of_all and _FLOAT_COUNT.fullmatch(number)))


def _is_no_total(count: str, total: str) -> bool:
    return total == "0" or (total.isdigit() and int(count) > int(total))


def take_range(draft: Draft, i: int) -> int:
    """`Minibatch[  1- 500]`: its end says where training stands; returns how many numbers it uses up, 0 for others."""
    whole = i + 1 < len(draft.example) and all(number.isdigit() for number in draft.example[i : i + 2])
    if not whole or not _TO.fullmatch(draft.texts[i + 1]) or draft.count >= 0:
        return 0
    draft.count, draft.counter = i + 1, words(draft.keys[i].phrase)[-1]
    draft.in_epoch = draft.counter.startswith(("batch", "minibatch"))
    return 2


def take_counted_bar(draft: Draft, i: int) -> int:
    """`3|1200|Loss: 0.4`: epoch and step before a bar of torchtune; returns how many numbers it uses up."""
    if i or draft.texts[0].strip() or not _COUNTED_BAR.match("\0".join(draft.texts[1:3])):
        return 0
    draft.epoch, draft.step = 0, 1
    return 2


def take_nameless(draft: Draft, i: int, fraction: bool) -> int:
    """A number without a name: part of a counter in brackets, or nothing."""
    opened = draft.keys[i].opened
    if (
        i == 0
        and not fraction
        and draft.example[0].isdigit()
        and _LEADS.fullmatch(draft.texts[0].strip() + "\0" + draft.texts[1])
    ):
        draft.lone = 0
    if not fraction:
        if opened == "[" and draft.epoch >= 0 and draft.count < 0 and draft.texts[i].strip() in ("][", "] [", "["):
            draft.count, draft.counter, draft.in_epoch = i, "batch", True
        elif opened == "[" and draft.epoch < 0 and _is_pair(draft, i):  # `[2,  200] loss: 0.5`
            draft.epoch, draft.count, draft.counter, draft.in_epoch = i, i + 1, "batch", True
            return 2
        return 1
    if opened == "(":
        if draft.epoch >= 0 and draft.epochs < 0 and not draft.fields:
            draft.epochs = i + 1  # `Epoch 12 (13/200)`
        elif not draft.counted and not draft.fields and draft.role:
            draft.epoch, draft.epochs = i, i + 1  # `valid (12/200) loss: …`
    elif draft.epoch >= 0:
        if draft.count < 0:
            draft.count, draft.total, draft.counter, draft.in_epoch = i, i + 1, "batch", True
    elif draft.loose >= 0:  # `[0/3][10/500]`
        draft.epoch, draft.epochs, draft.loose = draft.loose, draft.loose + 1, -1
        draft.count, draft.total, draft.counter, draft.in_epoch = i, i + 1, "batch", True
    elif not draft.fields or opened == "[":
        draft.loose = i
    return 2


def _is_pair(draft: Draft, i: int) -> bool:
    after = draft.texts[i + 1 : i + 3]
    whole = all(number.isdigit() for number in draft.example[i : i + 2])
    return len(after) == 2 and whole and after[0].strip() == "," and after[1].lstrip().startswith("]")


def is_counted(draft: Draft, i: int, unit: str) -> bool:
    """Whether a number counts iterations by its unit: `after 200 iterations: loss=…`, `200 batches processed, …`."""
    stands = _BEFORE_COUNT.search(draft.texts[i]) is not None or (i == 0 and not draft.texts[0].strip())
    return stands and draft.count < 0 and unit.lower() in _ITERATIONS and draft.example[i].isdigit()
