"""What the numbers of a line mean: counters, and `key: value`, `key=value`, `key value`, `value (average)` pairs.

Works on a line's shape (see `shapes`): the words between the numbers. The result holds for every line of that shape.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from logdoctor_parsers.keys import Kind, is_loss, kind_of, last_role, name_of
from logdoctor_parsers.names import words
from logdoctor_parsers.phrases import Key, key_before, unit_of, without_small_words

MAX_NUMBERS = 400
AVERAGE = " (avg)"  # what the tag of a running average ends with
WITHOUT_SPLIT = ("lr", "lr_multiplier", "grad_norm")


@dataclass(frozen=True)
class Field:
    """The number at `index` is a value of the series (`tag`, `metric`, `split`)."""

    index: int
    tag: str
    metric: str
    split: str


@dataclass(frozen=True)
class Reading:
    """What the numbers of one line shape mean; indexes count the line's numbers from 0, -1: the line has none.

    `count` is an iteration counter of the name `counter`, within the epoch or over the whole run: only the numbers can
    say; `in_epoch`: it certainly starts anew with each epoch. `step` certainly counts optimizer updates. `role`: the
    split the line speaks of. `progress`: one of many lines of a single evaluation. `summary`: closes an evaluation.
    `known`: a metric of the vocabulary is among the values.
    """

    fields: tuple[Field, ...] = ()
    epoch: int = -1
    epochs: int = -1
    count: int = -1
    total: int = -1
    step: int = -1
    counter: str = ""
    in_epoch: bool = False
    role: str = ""
    progress: bool = False
    summary: bool = False
    known: bool = False

    @cached_property
    def counted(self) -> bool:
        """Whether the line itself says where it stands."""
        return self.epoch >= 0 or self.count >= 0 or self.step >= 0

    @cached_property
    def iterates(self) -> bool:
        """Whether the line counts iterations of any kind."""
        return self.count >= 0 or self.step >= 0

    @cached_property
    def evaluates(self) -> bool:
        """Whether the line speaks of validation or test data."""
        return self.role in ("val", "test")

    def with_split(self, split: str) -> Reading:
        """The same, its values of unsaid split read as of `split`."""
        fields = tuple(f if f.split or f.metric in WITHOUT_SPLIT else replace(f, split=split) for f in self.fields)
        return replace(self, fields=fields, role=self.role or split)

    def only(self, indexes: Sequence[int]) -> Reading:
        """The same with fewer values."""
        return replace(self, fields=tuple(f for f in self.fields if f.index in indexes))


_LISTED = re.compile(r"((?:[A-Za-z_][\w./@-]*,\s?)+[A-Za-z_][\w./@-]*)\s*[:=]?\s*[\[(]?\s*$")
_FILE = re.compile(r"\S*\.(?:py|cc|cpp|cu)\b\S*|(?:/[\w.-]+){2,}")
_LEVEL = re.compile(r"^.*?\b(?:INFO|DEBUG|WARNING|WARN|ERROR|CRITICAL)\b(?::[\w.]+:)?")
_AMOUNT = re.compile(r"\s*(?:[A-Za-z]+ )?(?:batches|samples|images|examples|steps|iterations)\s*[:=]?$")
_NEW_RATE = re.compile(r"learning[ _]rate|\blr\b", re.IGNORECASE)
_OPENS = {Kind.METRIC: "[", Kind.VALUE: "[", Kind.ROLE: "[("}  # brackets in which a fraction counts
_SAYS_EPOCH = re.compile(r"\bepochs?\b", re.IGNORECASE)
_GROUP = re.compile(r"(\w+)[\[({][^\[({]*$")
_SHELL = re.compile(r"\s*\++ ")  # `+ command`, printed by `bash -x`
_EVALUATED = re.compile(r"\bSaving dict for global step\b", re.IGNORECASE)


@dataclass
class _Draft:
    """A reading being made."""

    texts: Sequence[str]
    example: Sequence[str]
    keys: list[Key]
    units: list[str]
    fields: list[Field] = field(default_factory=list)
    epoch: int = -1
    epochs: int = -1
    count: int = -1
    total: int = -1
    step: int = -1
    counter: str = ""
    in_epoch: bool = False
    loose: int = -1  # a fraction without a name
    role: str = ""
    settings: int = 0
    bare: int = 0
    known: bool = False

    @property
    def counted(self) -> bool:
        return self.epoch >= 0 or self.count >= 0 or self.step >= 0


def read_shape(texts: Sequence[str], example: Sequence[str]) -> Reading:
    """What lines of this shape mean. `texts`: n + 1 pieces, `example`: the n numbers of one such line."""
    if not 0 < len(example) <= MAX_NUMBERS:
        return Reading(role=_header_role(texts[0]) if texts else "")
    units = [unit_of(text) for text in texts[1:]]
    before = [texts[0], *(text[len(unit) :] for text, unit in zip(texts[1:], units, strict=True))]
    before[0] = _LEVEL.sub("", before[0])
    if len(example) == 1 and before[0].lstrip().startswith("|") and texts[1].strip() == "|":  # `| loss | 0.5 |`
        before[0] = before[0].strip("| ") + ":"
    draft = _Draft(before, example, [key_before(text) for text in before[:-1]], [unit.strip() for unit in units])
    _name_new_rate(draft)
    _name_after_amount(draft)
    place = 0
    while place < len(example):
        place += _take(draft, place)
    return _finish(draft)


def _name_new_rate(draft: _Draft) -> None:
    """`reducing learning rate of group 0 to 1e-4`: the number after `to` is the rate."""
    said = ""
    for text, key in zip(draft.texts, draft.keys, strict=False):
        if key.kind is Kind.NOTHING and text.strip() == "to" and (named := _NEW_RATE.search(said)):
            key.rename(named[0])
        said += text


def _name_after_amount(draft: _Draft) -> None:
    """`Mean test loss of 63 batches: 2.55`: the metric's name stands before the amount it was measured on."""
    for i, (amount, key) in enumerate(itertools.pairwise(draft.keys)):
        if not key.separated or not _AMOUNT.match(f"{draft.units[i]} {draft.texts[i + 1].strip()}"):
            continue
        key.rename(without_small_words(amount.phrase))
        amount.kind = Kind.SIDE


def _take(draft: _Draft, i: int) -> int:
    """Read the number at `i` (and those that belong to it); returns how many were used up."""
    key = draft.keys[i]
    own, role = draft.texts[i], draft.role
    _hear(draft, own, key)
    fraction = i + 1 < len(draft.example) and draft.texts[i + 1].strip() in ("/", "of", "//")
    if draft.units[i] in ("epoch", "轮") and key.kind in (
        Kind.NOTHING,
        Kind.VALUE,
        Kind.ROLE,
    ):  # `3epoch:train: loss=…`
        return _take_epoch(draft, i, fraction)
    if (listed := _LISTED.search(own)) is not None and not fraction:
        return _take_list(draft, i, listed[1])
    if key.kind is Kind.EPOCH:
        return _take_epoch(draft, i, fraction)
    if key.kind is Kind.COUNTER:
        return _take_counter(draft, i, fraction)
    if key.kind is Kind.SETTING:
        draft.settings += key.separated
    if key.kind is Kind.ROLE and not key.opened and _follows_bracket(draft, i + 1) and draft.example[i].isdigit():
        draft.epoch = i if draft.epoch < 0 else draft.epoch  # `Train: 3 [ 10/32 …`
        return 1
    if key.kind in (Kind.METRIC, Kind.VALUE, Kind.ROLE) and not (
        fraction and key.opened and key.opened in _OPENS[key.kind]
    ):
        used = _take_value(draft, i, fraction)
        draft.role = role if key.kind is Kind.ROLE else draft.role
        return used
    if key.kind in (Kind.NOTHING, Kind.ROLE):
        return _take_nameless(draft, i, fraction)
    return 2 if fraction else 1


def _hear(draft: _Draft, text: str, key: Key) -> None:
    """Note which split the words before a number speak of."""
    heard = last_role(_FILE.sub("", text))
    own = name_of(key.phrase).split if key.phrase else ""
    draft.role = (own if key.kind in (Kind.METRIC, Kind.VALUE) else "") or last_role(key.said) or heard or draft.role


def _follows_bracket(draft: _Draft, i: int) -> bool:
    return i < len(draft.example) and draft.texts[i].strip() == "[" and i + 1 < len(draft.example)


def _take_epoch(draft: _Draft, i: int, fraction: bool) -> int:
    if draft.epoch < 0:
        draft.epoch, draft.epochs = i, i + 1 if fraction else -1
    return 2 if fraction else 1


def _take_counter(draft: _Draft, i: int, fraction: bool) -> int:
    said = words(draft.keys[i].phrase)
    if not draft.example[i].isdigit():
        return 2 if fraction else 1  # a share of an epoch
    if not fraction and ("global" in said or said[-1] == "updates"):
        draft.step = i if draft.step < 0 else draft.step
    elif draft.count < 0:
        draft.count, draft.total = i, i + 1 if fraction else -1
        draft.counter = said[-1]
        draft.in_epoch = draft.counter.startswith(("batch", "minibatch"))
    return 2 if fraction else 1


def _take_nameless(draft: _Draft, i: int, fraction: bool) -> int:
    """A number without a name: part of a counter in brackets, or nothing."""
    opened = draft.keys[i].opened
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


def _is_pair(draft: _Draft, i: int) -> bool:
    after = draft.texts[i + 1 : i + 3]
    return len(after) == 2 and after[0].strip() == "," and after[1].lstrip().startswith("]")


def _take_value(draft: _Draft, i: int, fraction: bool) -> int:
    key = draft.keys[i]
    if fraction:  # `Accuracy: 180/300 (60%)`
        percent = i + 2 < len(draft.example) and draft.units[i + 2] == "%" and draft.texts[i + 2].strip() == "("
        if percent and key.kind is Kind.METRIC:
            _add(draft, i + 2, key)
        return 3 if percent else 2
    if ":" in draft.example[i] or (draft.units[i] and draft.units[i] != "%"):
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
        if name_of(key.phrase).metric != "lr" and not draft.units[after].strip("%"):
            _add(draft, after, key, average=True)
        return 2
    return 1


def _take_list(draft: _Draft, i: int, names: str) -> int:
    """`loss_a,loss_b,loss_c 0.1 0.2 0.3`: several names, then as many numbers."""
    tags = [name.strip() for name in names.split(",")]
    for offset, tag in enumerate(tags):
        place = i + offset
        if place >= len(draft.example) or (offset and draft.texts[place].strip() not in ("", ",")):
            return max(1, offset)
        _add(draft, place, Key(tag, kind_of(tag), separated=True))
    return len(tags)


def _add(draft: _Draft, index: int, key: Key, *, average: bool = False) -> None:
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


def _finish(draft: _Draft) -> Reading:
    draft.fields = _with_bare_roles(draft)
    if draft.loose >= 0:
        _place_loose(draft)
    line_role = draft.role if not any(f.split for f in draft.fields) else next(f.split for f in draft.fields if f.split)
    counted = draft.counted
    floats = any(
        draft.keys[f.index].separated and ("." in draft.example[f.index] or draft.example[f.index].isalpha())
        for f in draft.fields
    )
    if not draft.known and not (counted and floats and not draft.settings):
        draft.fields = []
    if draft.settings > (len(draft.fields) if counted else 0) or _SHELL.match(draft.texts[0]):
        draft.fields = []
    evaluated = bool(_EVALUATED.search(draft.texts[0]))
    reading = Reading(
        fields=tuple(draft.fields),
        epoch=draft.epoch,
        epochs=draft.epochs,
        count=draft.count,
        total=draft.total,
        step=draft.step,
        counter=draft.counter,
        in_epoch=draft.in_epoch,
        role=line_role,
        progress=line_role in ("val", "test") and draft.total >= 0 and draft.in_epoch,
        summary=draft.texts[0].lstrip().startswith("*"),
        known=draft.known,
    )
    return reading.with_split("val") if evaluated else reading


def _with_bare_roles(draft: _Draft) -> list[Field]:
    """`train 0.5 val 0.6`: values called only by their split are losses, unless the line names a loss."""
    if not draft.bare:
        return draft.fields
    others = any(
        draft.keys[f.index].kind is Kind.METRIC and f.metric != "lr" for f in draft.fields if f.index < len(draft.keys)
    )
    counted = draft.counted or draft.loose >= 0
    out = []
    for f in draft.fields:
        if draft.keys[f.index].kind is not Kind.ROLE:
            out.append(f)
        elif (counted and "." in draft.example[f.index]) or draft.example[f.index].isalpha():
            out.append(replace(f, metric=f.metric if others else "loss", split=name_of(f.tag).split))
            draft.known = True
    return out


def _place_loose(draft: _Draft) -> None:
    """A fraction without a name counts epochs where the line tells both losses, else iterations."""
    splits = {f.split for f in draft.fields}
    after = draft.texts[draft.loose + 2] if draft.loose + 2 < len(draft.texts) else ""
    if draft.epoch < 0 and (("train" in splits and splits & {"val", "test"}) or _SAYS_EPOCH.search(after)):
        draft.epoch, draft.epochs = draft.loose, draft.loose + 1
    elif draft.count < 0:
        draft.count, draft.total, draft.counter = draft.loose, draft.loose + 1, "iter"
        draft.in_epoch = draft.role in ("val", "test")


def _header_role(text: str) -> str:
    """The split a line without numbers announces (`Validation:`, `--- Evaluating ---`); empty for any other line."""
    return last_role(text) if len(text.split()) <= 6 and len(text) < 80 and not is_loss(text) else ""
