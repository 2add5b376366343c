"""What the numbers of a line mean: counters, and `key: value`, `key=value`, `key value`, `value (average)` pairs.

Works on a line's shape (see `shapes`): the words between the numbers. The result holds for every line of that shape.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from logdoctor_parsers.counters import (
    is_counted,
    take_counted_bar,
    take_counter,
    take_epoch,
    take_epochs_before_bracket,
    take_nameless,
    take_range,
)
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
_OPENS = {Kind.METRIC: "[", Kind.VALUE: "[", Kind.ROLE: "[("}  # brackets in which a fraction counts
_GROUP = re.compile(r"(\w+)[\[({][^\[({]*$")
_RANGE = re.compile(r"-\d+ ?(?:batch|iter|step)")
_BOXED = re.compile(r"\|([^|\0]*[A-Za-z][^|\0]*\0[^|\0]*)\|\s*\0\s*\|")  # `| mean of 100 rewards | 4.5 |`
_EVALUATED = re.compile(r"\bcur(?:rent)? metric,")  # PaddlePaddle's words for an evaluation's results
_BEST_SO_FAR = re.compile(r"\s*best (?:metric|result)s?[,:]", re.IGNORECASE)
_INDEX = re.compile(r"\](?=\w|\s*[:=])")  # `error[0]PerSample`, `lr[0] = `


def read_shape(texts: Sequence[str], example: Sequence[str]) -> Reading:
    """What lines of this shape mean. `texts`: n + 1 pieces, `example`: the n numbers of one such line."""
    if not 0 < len(example) <= MAX_NUMBERS:
        return Reading(role=_header_role(message_of(texts[0])) if texts else "")
    units = [unit_of(text) for text in texts[1:]]
    before = [texts[0], *(text[len(unit) :] for text, unit in zip(texts[1:], units, strict=True))]
    before[0] = message_of(before[0])
    if _BEST_SO_FAR.match(before[0]):
        return Reading()
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
        return take_epoch(draft, i, fraction)
    if _RANGE.match(draft.texts[i + 1]) and draft.count < 0:  # `1-50batch`
        draft.count, draft.counter, draft.in_epoch = i, "batch", True
        return 1
    if not fraction and (names := _listed(draft, i)):
        return _take_list(draft, i, names)
    if key.kind is Kind.EPOCH or (key.phrase.lower() == "epochs" and (fraction or "." in draft.example[i])):
        return take_epoch(draft, i, fraction)
    if key.kind is Kind.COUNTER:
        return take_range(draft, i) or take_counter(draft, i, fraction)
    if is_counted(draft, i, unit):
        draft.count, draft.counter = i, "iter"
        return 1
    if key.kind is Kind.SETTING:
        draft.settings += key.separated
    if key.kind is Kind.ROLE and not key.opened and _follows_bracket(draft, i + 1) and draft.example[i].isdigit():
        draft.epoch = i if draft.epoch < 0 else draft.epoch  # `Train: 3 [ 10/32 …`
        return 1
    if key.kind is Kind.ROLE and fraction and (used := take_epochs_before_bracket(draft, i)):
        return used
    if key.kind in (Kind.METRIC, Kind.VALUE, Kind.ROLE) and not (
        fraction and (FILLERS.issuperset(words(key.phrase)) or (key.opened and key.opened in _OPENS[key.kind]))
    ):
        used = _take_value(draft, i, fraction)
        draft.role = role if key.kind is Kind.ROLE and "." in draft.example[i] else draft.role
        return used
    if key.kind in (Kind.NOTHING, Kind.ROLE) or (fraction and FILLERS.issuperset(words(key.phrase))):
        return take_counted_bar(draft, i) or take_nameless(draft, i, fraction)
    return 2 if fraction else 1


def _is_fraction(draft: Draft, i: int) -> bool:
    """Whether two numbers are a count and its total, not two values (`train 0.41/0.92`)."""
    if i + 1 >= len(draft.example) or draft.texts[i + 1].strip() not in ("/", "of", "//"):
        return False
    return not ("." in draft.example[i] and "." in draft.example[i + 1])


def _hear(draft: Draft, text: str, key: Key) -> None:
    """Note which split the words before a number speak of."""
    heard = "val" if _EVALUATED.search(text) else last_role(_NO_SPLIT.sub("", text))
    own = name_of(key.phrase).split if key.phrase else ""
    draft.role = (own if key.kind in (Kind.METRIC, Kind.VALUE) else "") or last_role(key.said) or heard or draft.role


def _follows_bracket(draft: Draft, i: int) -> bool:
    return i < len(draft.example) and draft.texts[i].strip() == "[" and i + 1 < len(draft.example)


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
    if (key.kind is Kind.VALUE and not key.names) or _runs_into_rest(draft, i):
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


def _runs_into_rest(draft: Draft, i: int) -> bool:
    """Whether a torn name goes on right behind a number, which may be torn, too: `loss: 20.06oss: 5.4`, `2.1cc@5 9`."""
    if not draft.texts[i + 1][:1].isalpha() or i + 1 >= len(draft.example):
        return False
    key, quoted = draft.keys[i + 1], draft.texts[i].endswith(("'", '"'))
    again = key.phrase in ("s", "it", draft.keys[i].phrase)  # `Loss: 3s: 1.2`, `Loss: 4Loss: 3.4`
    if key.separated and (quoted or again or key.kind is Kind.VALUE):
        return True
    return key.kind in (Kind.VALUE, Kind.SIDE) and "@" in key.phrase


def _is_measured(unit: str, key: Key) -> bool:
    """Whether a value of a metric may have the unit: `loss 2.1nats`, `PSNR: 31.2 dB`."""
    return key.kind in (Kind.METRIC, Kind.ROLE) and unit.lower() in METRIC_UNITS


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
