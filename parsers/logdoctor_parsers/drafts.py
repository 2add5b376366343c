"""A line's reading while it is made, and how it is closed: which values stand, and what counts them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from logdoctor_parsers.keys import Kind, is_loss, name_of, of_trade
from logdoctor_parsers.names import words
from logdoctor_parsers.phrases import Key
from logdoctor_parsers.readings import Field, Reading

_SAYS_EPOCH = re.compile(r"\bepochs?\b", re.IGNORECASE)
_SHELL = re.compile(r"\s*\++ ")  # `+ command`, printed by `bash -x`
_EVALUATED = re.compile(r"\bSaving dict for global step\b", re.IGNORECASE)
_BOOSTING = re.compile(r"\]?:?\t")  # behind the round, as LightGBM, XGBoost and CatBoost print


@dataclass
class Draft:
    """A reading being made.

    `texts`, `example`, `keys` and `units` belong to the line's numbers. `loose`: a fraction without a name; `lone`: a
    whole number without a name that the line begins with. `settings` counts hyper-parameters, `bare` the values named
    by a split only.
    """

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
    loose: int = -1
    lone: int = -1
    role: str = ""
    settings: int = 0
    bare: int = 0
    known: bool = False

    @property
    def counted(self) -> bool:
        return self.epoch >= 0 or self.count >= 0 or self.step >= 0


def finish(draft: Draft) -> Reading:
    """The reading, once all numbers of the line were looked at."""
    draft.fields = _of_evaluation(_without_costs(_of_networks(draft, _with_bare_roles(draft))))
    _take_total(draft)
    if draft.loose >= 0:
        _place_loose(draft)
    elif draft.lone >= 0 and draft.known and not draft.counted:
        _place_lone(draft)
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
        rank=_rank(draft),
        counter=draft.counter,
        in_epoch=draft.in_epoch,
        role=line_role,
        progress=line_role in ("val", "test") and draft.count >= 0 and draft.in_epoch,
        summary=draft.texts[0].lstrip().startswith("*"),
        known=draft.known,
    )
    return reading.with_split("val") if evaluated else reading


def _with_bare_roles(draft: Draft) -> list[Field]:
    """`train 0.5 val 0.6`: values called only by their split are losses, unless the line names one of its own."""
    if not draft.bare:
        return draft.fields
    named = {f.metric for f in draft.fields if draft.keys[f.index].kind is Kind.METRIC and f.metric != "lr"}
    metric = "score" if named and (draft.bare > 1 or named != {"loss"}) else "loss"  # `loss 0.5, train 0.9, val 0.8`
    counted = draft.counted or draft.loose >= 0 or draft.lone >= 0
    out = []
    for f in draft.fields:
        if draft.keys[f.index].kind is not Kind.ROLE:
            out.append(f)
        elif (counted and "." in draft.example[f.index]) or draft.example[f.index].isalpha():
            out.append(replace(f, metric=metric, split=name_of(f.tag).split))
            draft.known = True
    return out


def _take_total(draft: Draft) -> None:
    """`policy=2.1 mse=0.3 total=2.4`: beside parts that are measures the total is the loss."""
    if not draft.known or any("loss" in f.metric for f in draft.fields):
        return
    for index, (key, value, unit) in enumerate(zip(draft.keys, draft.example, draft.units, strict=False)):
        if key.phrase.lower() == "total" and key.separated and "." in value and not unit:
            draft.fields.append(Field(index, key.phrase, "loss", draft.role))
            draft.settings -= 1
            return


def _rank(draft: Draft) -> int:
    """The number a line ends with, where it is the rank of the process that prints it: `loss 0.5 rank 3`."""
    last = len(draft.example) - 1
    ends = draft.keys[last].phrase.lower() == "rank" and not draft.texts[-1].strip()
    return last if ends and draft.counted and draft.example[last].isdigit() else -1


def _of_networks(draft: Draft, fields: list[Field]) -> list[Field]:
    """`G: 2.06 | D: 0.05`: the losses of a generator and its discriminator, where a line tells both by a letter."""
    if not {"G", "D"} <= {f.tag for f in fields}:
        return fields
    draft.known = True
    return [replace(f, metric=f"{f.tag}_loss") if f.tag in ("G", "D") else f for f in fields]


def _without_costs(fields: list[Field]) -> list[Field]:
    """`Training cost: 12.3, ObjLoss=0.4`: beside losses a cost is a time."""
    if any(of_trade(f.tag) for f in fields):  # a loss beside a profit is one of money
        return []
    if not any(is_loss(f.tag) and "cost" not in words(f.tag) for f in fields):
        return fields
    return [f for f in fields if "cost" not in words(f.tag)]


def _of_evaluation(fields: list[Field]) -> list[Field]:
    """`perplexity: 1.3 eval_loss: 0.26`: a perplexity on a line whose only loss is the validation's belongs to it."""
    splits = {f.split for f in fields if f.metric == "loss"}
    if len(splits) != 1 or not splits <= {"val", "test"}:
        return fields
    return [replace(f, split=min(splits)) if f.metric == "perplexity" and not f.split else f for f in fields]


def _tells_both(draft: Draft) -> bool:
    """Whether the line has values of training and of validation: it closes an epoch."""
    splits = {f.split for f in draft.fields}
    return "train" in splits and bool(splits & {"val", "test"})


def _place_lone(draft: Draft) -> None:
    """A number that a line begins with counts epochs where the line tells both losses, else iterations."""
    if _tells_both(draft) and not _BOOSTING.match(draft.texts[1]):
        draft.epoch = draft.lone
    else:
        draft.count, draft.counter = draft.lone, "iter"


def _place_loose(draft: Draft) -> None:
    """A fraction without a name counts epochs where the line tells both losses, else iterations."""
    after = draft.texts[draft.loose + 2] if draft.loose + 2 < len(draft.texts) else ""
    if draft.epoch < 0 and (_tells_both(draft) or _SAYS_EPOCH.search(after)):
        draft.epoch, draft.epochs = draft.loose, draft.loose + 1
    elif draft.count < 0:
        draft.count, draft.total, draft.counter = draft.loose, draft.loose + 1, "iter"
        draft.in_epoch = draft.role in ("val", "test")
