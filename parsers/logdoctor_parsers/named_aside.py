"""Names that do not stand right before their number: behind it, or before a counter or an amount in between."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from logdoctor_parsers.keys import Kind, kind_of
from logdoctor_parsers.phrases import Key, key_before, without_small_words

_BEHIND = re.compile(r"\s*%?\s+\(?((?:[A-Za-z@_]\w*\s+){0,2}[A-Za-z@_]\w*)\s*(?=[,;|)(\]]|\.?\s*\Z|\band\b)")
_METRIC_IS = re.compile(r"\b(?:metric|name|tag|key)[\"']?\s*[=:]\s*[\"']?([A-Za-z][\w/.-]*)")
_SPLIT_BEHIND = re.compile(r"\s*%?\s*[(\[]\s*([A-Za-z]+)\s*[)\]]")
_METRIC_OF_SPLITS = re.compile(r"([A-Za-z][\w ]*?)\s*(?:[:=(\[{|-]|->)\s*$")
_AMOUNT = re.compile(
    r"\s*(?:[A-Za-z]+ )?(?:batches|samples|images|examples|steps|iterations|data|sentences|tokens|items|pairs)\s*[:=]?$"
)
_NEW_RATE = re.compile(r"learning[ _]rate|\blr\b", re.IGNORECASE)
_AT = re.compile(r"\s+(?:at|for|in|on|after)\s+(?:the\s+)?(?:\w+\s+)?\w+\s*[:#=]?\s*$")
_LOSS_OF_PARTS = re.compile(r"(\w*loss(?:es)?)['\"]?\s*[:=]\s*\{", re.IGNORECASE)
_GOES_ON = re.compile(r"(?:-\d+)?\s*(?:[:=|-]|->|=>|is|was)\s*$")


def names_behind(texts: list[str], keys: list[Key], units: list[str]) -> None:
    """`0.532 train loss, 91 % accuracy`: where no words stand before a number, the metric behind it names it.

    Changes `keys`, and takes the name out of `texts` and `units`.
    """
    for i, key in enumerate(keys):
        if key.phrase or i + 1 >= len(texts):
            continue
        behind = units[i] + texts[i + 1]
        match = _BEHIND.match(behind)
        if match is not None and match.end() >= len(behind.rstrip(" .")) and i + 1 < len(keys):
            continue  # it stands before the next number
        if match is None or kind_of(match[1]) is not Kind.METRIC or match[1].lower() == "losses":  # of games
            continue
        key.rename(match[1])
        key.separated = True
        units[i] = "%" if "%" in match[0] else ""
        texts[i + 1] = behind[match.end() :]
        if i + 1 < len(keys):
            keys[i + 1] = key_before(texts[i + 1])


def splits_behind(texts: list[str], keys: list[Key], units: list[str]) -> None:
    """`loss = 0.42 (train), 0.59 (val)`: the split stands behind, the metric before the first.

    Changes `keys`, and takes the split out of `texts` and `units`.
    """
    metric = ""
    for i, key in enumerate(keys):
        metric = key.phrase if key.kind is Kind.METRIC else metric if not key.phrase else ""
        behind = units[i] + texts[i + 1]
        match = _SPLIT_BEHIND.match(behind)
        if match is None or not metric or kind_of(match[1]) is not Kind.ROLE:
            continue
        key.rename(f"{match[1]} {metric}")
        key.separated = True
        units[i] = "%" if "%" in match[0] else ""
        texts[i + 1] = behind[match.end() :]
        if i + 1 < len(keys):
            keys[i + 1] = key_before(texts[i + 1])


def name_aside(texts: Sequence[str], keys: Sequence[Key], units: Sequence[str]) -> None:
    """Give numbers without a key of their own the name that stands further before."""
    _name_value_of_metric(texts, keys)
    _name_splits_of_metric(texts, keys)
    _name_parts_of_loss(texts, keys)
    _name_new_rate(texts, keys)
    _name_after_amount(texts, keys, units)
    _name_after_counter(texts, keys)


def _name_value_of_metric(texts: Sequence[str], keys: Sequence[Key]) -> None:
    """`metric=train_loss step=20 value=0.4`: the metric's name is a value itself."""
    named = next((match[1] for text in texts if (match := _METRIC_IS.search(text)) is not None), "")
    value = next((key for key in keys if key.phrase.lower() == "value"), None)
    if not named or value is None or kind_of(named) is not Kind.METRIC:
        return
    value.rename(named)
    for key in keys:
        counter = key.phrase.removeprefix(named).strip()
        if key.phrase != counter and kind_of(counter) in (Kind.COUNTER, Kind.EPOCH):
            key.rename(counter)


def _name_splits_of_metric(texts: Sequence[str], keys: Sequence[Key]) -> None:
    """`loss: train 0.4, val 0.5; acc: train 0.9, val 0.8`: the metric stands before its splits."""
    metric = ""
    for text, key in zip(texts, keys, strict=False):
        if key.kind is not Kind.ROLE:
            metric = "" if key.phrase else metric
            continue
        named = _METRIC_OF_SPLITS.search(text[: text.rfind(key.phrase)])
        if named is not None and kind_of(named[1]) is Kind.METRIC:
            metric = named[1]
        if metric:
            key.rename(f"{key.phrase} {metric}")


def _name_parts_of_loss(texts: Sequence[str], keys: Sequence[Key]) -> None:
    """`loss: {'a': 0.1, 'b': 0.2}`: the parts of a loss are named inside its braces."""
    loss = ""
    for text, key in zip(texts, keys, strict=False):
        opened = _LOSS_OF_PARTS.search(text) if "{" in text else None
        loss = opened[1] if opened is not None else "" if "}" in text else loss
        if loss and key.kind is Kind.VALUE:
            key.rename(f"{loss}/{key.phrase}")


def _name_new_rate(texts: Sequence[str], keys: Sequence[Key]) -> None:
    """`reducing learning rate of group 0 to 1e-4`, `learning rate 0.1 -> 0.01`: the rate is the last number."""
    said = ""
    for text, key in zip(texts, keys, strict=False):
        if key.kind is Kind.NOTHING and text.strip() in ("to", "->", "=>") and (named := _NEW_RATE.search(said)):
            key.rename(named[0])
        said += text


def _name_after_amount(texts: Sequence[str], keys: Sequence[Key], units: Sequence[str]) -> None:
    """`Mean test loss of 63 batches: 2.55`: the metric's name stands before the amount it was measured on."""
    for i, (amount, key) in enumerate(itertools.pairwise(keys)):
        if not key.separated or not _AMOUNT.match(f"{units[i]} {texts[i + 1].strip()}"):
            continue
        key.rename(without_small_words(amount.phrase))
        amount.kind = Kind.SIDE


def _name_after_counter(texts: Sequence[str], keys: Sequence[Key]) -> None:
    """`Training loss (for one batch) at step 200: 2.3`: the metric's name stands before the counter."""
    for i, (counter, key) in enumerate(itertools.pairwise(keys)):
        at = _AT.search(texts[i])
        if key.phrase or at is None or not _GOES_ON.match(texts[i + 1]):
            continue
        named = key_before(texts[i][: at.start()])
        position = kind_of(at[0])
        if named.kind is Kind.METRIC and position in (Kind.COUNTER, Kind.EPOCH):
            key.phrase, key.kind, key.said, key.separated = named.phrase, named.kind, named.said, True
            counter.rename(at[0].strip())
