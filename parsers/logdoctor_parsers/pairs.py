"""What the numbers of a line mean: counters, and `key: value`, `key=value`, `key value`, `value (average)` pairs.

Works on a line's shape (see `shapes`): the words between the numbers. The result holds for every line of that shape.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from logdoctor_parsers.drafts import Draft, finish
from logdoctor_parsers.keys import Kind, is_loss, kind_of, last_role, name_of, only_role
from logdoctor_parsers.named_aside import name_aside, names_behind, splits_behind
from logdoctor_parsers.names import FILLERS, words
from logdoctor_parsers.phrases import Key, key_before, unit_of
from logdoctor_parsers.readings import AVERAGE, WITHOUT_SPLIT, Field, Reading

MAX_NUMBERS = 400
METRIC_UNITS = frozenset("nats bits db pts points px pixels ev mev mm cm".split())

_LISTED = re.compile(
    r"(?:(?P<of>[A-Za-z_]\w*)\s?[\[(])?(?P<names>(?:[A-Za-z_][\w./@-]*,\s?)+[A-Za-z_][\w./@-]*)[\])]?\s*[:=]?\s*[\[(]?\s*$"
)
_NO_SPLIT = re.compile(r"\S*\.(?:py|cc|cpp|cu)\b\S*|(?:/[\w.-]+){2,}|evaluation metric|\[CV\b", re.IGNORECASE)
_LEVEL = re.compile(r"^.*?\b(?:INFO|DEBUG|WARNING|WARN|ERROR|CRITICAL)\b(?::[\w.]+:)?")
_ITERATIONS = frozenset("iterations steps batches iters updates".split())
_BEFORE_COUNT = re.compile(r"\b(?:after|at)\s*$", re.IGNORECASE)
_OPENS = {Kind.METRIC: "[", Kind.VALUE: "[", Kind.ROLE: "[("}  # brackets in which a fraction counts
_GROUP = re.compile(r"(\w+)[\[({][^\[({]*$")
_RANGE = re.compile(r"-\d+ ?(?:batch|iter|step)")
_BOXED = re.compile(r"\|([^|\0]*[A-Za-z][^|\0]*\0[^|\0]*)\|\s*\0\s*\|")  # `| mean of 100 rewards | 4.5 |`
_TO = re.compile(r"\s*(?:-|\.\.|to)\s*")  # between the first and the last of a range of batches
_WHOLE = re.compile(r"\d(?:\.\d+)?e\+?(?!0+$)\d+")  # `1.2e+04`
_INDEX = re.compile(r"\](?=\w|\s*[:=])")  # `error[0]PerSample`, `lr[0] = `
_LEADS = re.compile(  # `[12] loss`, `[12 | 30.5] loss`, `12: loss`, `12 val`
    r"\[#?\0(?:\]| \| ).*|\0\s+|\0(?:\s*[:|,;)\t]|\s+[\[({<|-]|\s{2,}|\s+(?:train|val|valid|test|dev|eval)\b).*",
    re.DOTALL | re.IGNORECASE,
)


def read_shape(texts: Sequence[str], example: Sequence[str]) -> Reading:
    """What lines of this shape mean. `texts`: n + 1 pieces, `example`: the n numbers of one such line."""
    if not 0 < len(example) <= MAX_NUMBERS:
        return Reading(role=_header_role(message_of(texts[0])) if texts else "")
    units = [unit_of(text) for text in texts[1:]]
    before = [texts[0], *(text[len(unit) :] for text, unit in zip(texts[1:], units, strict=True))]
    before[0] = message_of(before[0])
    if len(example) == 1 and before[0].lstrip().startswith("|") and texts[1].strip() == "|":  # `| loss | 0.5 |`
        before[0] = before[0].strip("| ") + ":"
    keys = [key_before(text) for text in before[:-1]]
    if len(example) == 2 and (label := _BOXED.fullmatch("\0".join(texts).strip())) is not None:
        before[:2] = "", label[1].replace("\0", "") + ":"
        keys = [key_before(text) for text in before[:-1]]
    names_behind(before, keys, units)
    splits_behind(before, keys, units)
    draft = Draft(before, example, keys, [unit.strip() for unit in units])
    name_aside(draft.texts, draft.keys, draft.units)
    place = 0
    while place < len(example):
        place += _take(draft, place)
    return finish(draft)


def message_of(text: str) -> str:
    """A line without the logger's name and level."""
    return _LEVEL.sub("", text)


def _take(draft: Draft, i: int) -> int:
    """Read the number at `i` (and those that belong to it); returns how many were used up."""
    key = draft.keys[i]
    own, role = draft.texts[i], draft.role
    _hear(draft, own, key)
    fraction = _is_fraction(draft, i)
    unit = draft.units[min(i + fraction, len(draft.units) - 1)]
    if kind_of(unit) is Kind.EPOCH and key.kind in (Kind.NOTHING, Kind.VALUE, Kind.ROLE):  # `3epoch:train: loss=…`
        return _take_epoch(draft, i, fraction)
    if _RANGE.match(draft.texts[i + 1]) and draft.count < 0:  # `1-50batch`
        draft.count, draft.counter, draft.in_epoch = i, "batch", True
        return 1
    if not fraction and (names := _listed(draft, i)):
        return _take_list(draft, i, names)
    if key.kind is Kind.EPOCH or (key.phrase.lower() == "epochs" and (fraction or "." in draft.example[i])):
        return _take_epoch(draft, i, fraction)
    if key.kind is Kind.COUNTER:
        return _take_range(draft, i) or _take_counter(draft, i, fraction)
    if _is_counted(draft, i, unit):
        draft.count, draft.counter = i, "iter"
        return 1
    if key.kind is Kind.SETTING:
        draft.settings += key.separated
    if key.kind is Kind.ROLE and not key.opened and _follows_bracket(draft, i + 1) and draft.example[i].isdigit():
        draft.epoch = i if draft.epoch < 0 else draft.epoch  # `Train: 3 [ 10/32 …`
        return 1
    if key.kind is Kind.ROLE and fraction and (used := _take_epochs_before_bracket(draft, i)):
        return used
    if key.kind in (Kind.METRIC, Kind.VALUE, Kind.ROLE) and not (
        fraction and (FILLERS.issuperset(words(key.phrase)) or (key.opened and key.opened in _OPENS[key.kind]))
    ):
        used = _take_value(draft, i, fraction)
        draft.role = role if key.kind is Kind.ROLE and "." in draft.example[i] else draft.role
        return used
    if key.kind in (Kind.NOTHING, Kind.ROLE) or (fraction and FILLERS.issuperset(words(key.phrase))):
        return _take_nameless(draft, i, fraction)
    return 2 if fraction else 1


def _is_fraction(draft: Draft, i: int) -> bool:
    """Whether two numbers are a count and its total, not two values (`train 0.41/0.92`)."""
    if i + 1 >= len(draft.example) or draft.texts[i + 1].strip() not in ("/", "of", "//"):
        return False
    return not ("." in draft.example[i] and "." in draft.example[i + 1])


def _hear(draft: Draft, text: str, key: Key) -> None:
    """Note which split the words before a number speak of."""
    heard = last_role(_NO_SPLIT.sub("", text))
    own = name_of(key.phrase).split if key.phrase else ""
    draft.role = (own if key.kind in (Kind.METRIC, Kind.VALUE) else "") or last_role(key.said) or heard or draft.role


def _follows_bracket(draft: Draft, i: int) -> bool:
    return i < len(draft.example) and draft.texts[i].strip() == "[" and i + 1 < len(draft.example)


def _take_epoch(draft: Draft, i: int, fraction: bool) -> int:
    if draft.epoch < 0:
        draft.epoch, draft.epochs = i, i + 1 if fraction else -1
    return 2 if fraction else 1


def _take_epochs_before_bracket(draft: Draft, i: int) -> int:
    """`Train: 3/80 (4%) [ 10/928 …`: the fraction counts epochs; returns how many numbers it uses up, 0 for others."""
    used = 3 if i + 3 < len(draft.texts) and draft.texts[i + 2].strip() == "(" and draft.units[i + 2] == "%" else 2
    after = i + used
    if draft.epoch >= 0 or after + 1 >= len(draft.example) or not draft.texts[after].rstrip().endswith("["):
        return 0
    draft.epoch, draft.epochs = i, i + 1
    return used


def _take_counter(draft: Draft, i: int, fraction: bool) -> int:
    said = words(draft.keys[i].phrase)
    if not (draft.example[i].rstrip(".").isdigit() or _WHOLE.fullmatch(draft.example[i])):
        return 2 if fraction else 1  # a share of an epoch
    if fraction and said[-1] == "batch" and draft.epoch < 0 and _is_no_total(*draft.example[i : i + 2]):
        draft.epoch, draft.count, draft.counter, draft.in_epoch = i, i + 1, "batch", True  # `batch 3/0`: of epoch 3
        return 2
    if not fraction and ("global" in said or said[-1] == "updates"):
        draft.step = i if draft.step < 0 or "total" in said else draft.step
    elif not fraction and draft.total >= 0 and draft.in_epoch and said[-1].startswith("it"):  # beside `batch 3/90`
        draft.step = i if draft.step < 0 else draft.step
    elif draft.count < 0:
        draft.count, draft.total = i, i + 1 if fraction else -1
        draft.counter = said[-1]
        draft.in_epoch = draft.counter.startswith(("batch", "minibatch")) or said[0] == "epoch"  # `epoch step: 12`
    return 2 if fraction else 1


def _is_no_total(count: str, total: str) -> bool:
    return total == "0" or (total.isdigit() and int(count) > int(total))


def _take_range(draft: Draft, i: int) -> int:
    """`Minibatch[  1- 500]`: its end says where training stands; returns how many numbers it uses up, 0 for others."""
    whole = i + 1 < len(draft.example) and all(number.isdigit() for number in draft.example[i : i + 2])
    if not whole or not _TO.fullmatch(draft.texts[i + 1]) or draft.count >= 0:
        return 0
    draft.count, draft.counter = i + 1, words(draft.keys[i].phrase)[-1]
    draft.in_epoch = draft.counter.startswith(("batch", "minibatch"))
    return 2


def _take_nameless(draft: Draft, i: int, fraction: bool) -> int:
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


def _take_value(draft: Draft, i: int, fraction: bool) -> int:
    key = draft.keys[i]
    if fraction:  # `Accuracy: 180/300 (60%)`
        percent = i + 2 < len(draft.example) and draft.units[i + 2] == "%" and draft.texts[i + 2].strip() == "("
        if percent and key.kind is Kind.METRIC:
            _add(draft, i + 2, key)
        elif percent and key.kind is Kind.VALUE and not draft.counted:  # `Progress: 180/300 (60%)`
            draft.count, draft.total, draft.counter = i, i + 1, "batch"
        return 3 if percent else 2
    if _is_index(draft, i):
        index = "" if draft.example[i] == "0" else draft.example[i]
        draft.keys[i + 1].rename(f"{key.phrase} {draft.keys[i + 1].phrase or index}".strip())
        return 1
    if _is_step_of_value(draft, i):
        draft.count, draft.counter = i, "step"
        _add(draft, i + 1, key)
        return 2
    if ":" in draft.example[i] or (draft.units[i] and draft.units[i] != "%" and not _is_measured(draft.units[i], key)):
        return 1
    if key.kind is Kind.VALUE and not key.names:
        return 1
    if key.kind is Kind.ROLE:
        draft.bare += 1
    if not key.phrase.strip():
        return 1
    _add(draft, i, key)
    after = i + 1
    if (
        after < len(draft.example)
        and draft.texts[after].strip() == "("
        and draft.texts[after + 1].lstrip().startswith(")")
    ):
        change = draft.example[after][0] in "+-" and draft.example[i][0] not in "+-"  # `4.2 (-0.1)`
        if name_of(key.phrase).metric != "lr" and not draft.units[after].strip("%") and not change:
            _add(draft, after, key, average=True)
        return 2
    return 1


def _is_index(draft: Draft, i: int) -> bool:
    """Whether a number is no value but says which: `loss[1] = 0.4`."""
    stands = draft.keys[i].opened == "[" and draft.example[i].isdigit() and draft.texts[i][-2:-1].isalpha()
    return stands and i + 1 < len(draft.example) and _INDEX.match(draft.texts[i + 1]) is not None


def _listed(draft: Draft, i: int) -> list[str]:
    """Several names before as many numbers: `loss_a,loss_b 0.1 0.2`, `loss[train, val] [0.1, 0.2]`; else empty."""
    found = _LISTED.search(draft.texts[i]) if "," in draft.texts[i] else None
    if found is None:
        return []
    names = [name.strip() for name in found["names"].split(",")]
    between = draft.texts[i + 1 : i + len(names)]
    if i + len(names) > len(draft.example) or any(text.strip() not in ("", ",") for text in between):
        return []
    return [f"{name} {found['of']}" for name in names] if found["of"] else names


def _is_step_of_value(draft: Draft, i: int) -> bool:
    """Whether a name stands before a step and its value: `loss/train 200 0.41`."""
    key = draft.keys[i]
    return (
        key.kind is Kind.METRIC
        and not (key.separated or key.opened or draft.counted)
        and (is_loss(key.phrase) or name_of(key.phrase).metric == "lr")
        and draft.example[i].isdigit()
        and i + 2 == len(draft.example)
        and not draft.texts[i + 1].strip()
        and "." in draft.example[i + 1]
    )


def _is_measured(unit: str, key: Key) -> bool:
    """Whether a value of a metric may have the unit: `loss 2.1nats`, `PSNR: 31.2 dB`."""
    return key.kind in (Kind.METRIC, Kind.ROLE) and unit.lower() in METRIC_UNITS


def _is_counted(draft: Draft, i: int, unit: str) -> bool:
    """Whether a number counts iterations by its unit: `after 200 iterations: loss=…`, `200 batches processed, …`."""
    stands = _BEFORE_COUNT.search(draft.texts[i]) is not None or (i == 0 and not draft.texts[0].strip())
    return stands and draft.count < 0 and unit.lower() in _ITERATIONS and draft.example[i].isdigit()


def _take_list(draft: Draft, i: int, names: Sequence[str]) -> int:
    """Each number gets the name at its place."""
    for place, tag in enumerate(names, i):
        _add(draft, place, Key(tag, kind_of(tag), separated=True))
    return len(names)


def _add(draft: Draft, index: int, key: Key, *, average: bool = False) -> None:
    name = name_of(key.phrase)
    metric = name.metric
    split = "" if metric in WITHOUT_SPLIT else name.split or draft.role
    if key.kind is Kind.SIDE or key.kind is Kind.SETTING:
        return
    if average and any(k.phrase.lower() == "eta" and k.separated for k in draft.keys):
        metric = f"{metric}_since_start"  # window median (average since the start), as MetricLogger prints
    tag = key.phrase
    if not average and any(f.tag == tag and f.split == split for f in draft.fields):
        group = _GROUP.search(draft.texts[index])
        if group is None:
            return
        tag = f"{group[1]}/{tag}"  # `loss[loss=1.2], tot_loss[loss=1.3]`
    draft.known = draft.known or (key.kind is Kind.METRIC and not average)
    draft.fields.append(Field(index, tag + AVERAGE if average else tag, metric, split))


def _header_role(text: str) -> str:
    """The split a line without numbers announces (`Validation:`, `--- Evaluating ---`); empty for any other line."""
    return only_role(text) if len(text.split()) <= 6 and len(text) < 80 and not is_loss(text) else ""
