"""What the words before a number say it is: a counter, a metric, a setting, or a side value that is no metric."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache

from logdoctor_parsers.languages import english
from logdoctor_parsers.names import METRICS, SPLITS, Name, canonical, words


class Kind(Enum):
    """What a key names."""

    EPOCH = "epoch"
    COUNTER = "counter"  # iterations, steps or batches
    METRIC = "metric"  # a known metric
    VALUE = "value"  # a name not known, may be a metric
    ROLE = "role"  # only `train`, `val`, …
    SETTING = "setting"  # a hyper-parameter or a total
    SIDE = "side"  # times, speeds, sizes, best values so far
    NOTHING = "nothing"


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


EPOCHS = _set("epoch ep epo pass")
COUNTERS = _set(
    "step steps iter ite itn iters iteration iterations itr update updates nupdates up batch batches minibatch"
    " minibatches"
)
SETTINGS = _set("""
    momentum decay gamma beta betas eps epsilon seed dropout workers warmup max num total epochs stepsize
    milestones interval freq every per weight weights coef smoothing alpha nesterov clip ratio factor bs
    resolution precision capacity multiplier
""")
SIDE = _set("""
    time data eta mem memory maxmem gpu cpu gpumem cpumem ram sec secs second seconds ms min speed throughput
    tok tokens sample samples dt mfu elapsed remaining latency scale scaler size labels img image images
    instances rank pid world count params parameters param skipped skip bad best lowest highest patience flops
    gflops runtime duration dur from improve improved threshold target hysteresis counter length id gb mb kimg
    timer timestamp date hours hour day days port version percentage decreased increased reached improvement
    reduced checkpoint wps ups wpb bsz ips fps wall sen over progress pq rg mom nan py cc cpp weighting worker depth
    class classes saved saving took
""")
# Beside the word loss these still make a side value; others (`data loss`, `class loss`) do not.
_SIDE_OF_LOSS = (SIDE | _set("packet packets frame stop")) - _set(
    "data class classes min image images size sample samples reduced depth duration dur id rank token tokens target"
    " speed count labels"
)
_PLANNED_RATES = _set("base final init initial max min start end warmup peak decay")
_SLOW_PARTS = _set("batch reader data iter step forward backward")
_ASIDE = _set("""
    global current cur train training trainer optimizer optim micro val valid eval test epoch batch inner outer this
    at for in on with the idx index no number id model start starting finished completed done end of after dict
    validation testing cv
""")  # what may stand beside a counter's name
_KNOWN = frozenset(METRICS.values())
_BESIDE_COUNTER = _ASIDE | EPOCHS | COUNTERS
_PASSED = _set("seen done completed elapsed trained processed")
_NUMBER = _set("id idx index number no num")
_OF_A_COUNTER = _set("training validation evaluation testing train start end")  # `Training of epoch 3`
PLURALS = {"epochs": "epoch", "batches": "batch", "steps": "step", "iterations": "iteration", "updates": "update"}
_NO_ROLES = _set("tr cv te tel tl trl")  # too short to be meant as words of a sentence

_EXCEPTION = re.compile(r"[a-z](?:Error|Exception|Warning)$")  # `ValueError: 0 is not in list`
_OF_WHAT = re.compile(r" (?:of|for) (?:the )?(?:network|model|net|classifier)$", re.IGNORECASE)
_TRADE = re.compile(r"\b(?:profit|pnl)\b", re.IGNORECASE)
_LETTER = re.compile(
    r"^(?:[GD]_(?!loss)\w+|(?:cycle|idt)_[AB])$|(?:^|[/ ])l_(?:[a-z]\w*)$"
)  # `l_pix`, `G_GAN`, `cycle_A`
_COUNTER_OF_GROUP = re.compile(r"(?!time|perf|speed)\w+\.(?:global_)?(?:step|iter|iteration|epoch)$")  # `runtime.step`
_RATE = re.compile(r"l_r$")
_WORD = re.compile(r"[A-Za-z]+")


@lru_cache(maxsize=65536)
def name_of(tag: str) -> Name:
    """`canonical` for printed labels, which may be in another language or abbreviate `loss` to a letter."""
    said = _OF_WHAT.sub("", english(tag)).strip() or tag
    return canonical(f"{said}_loss" if _LETTER.search(said) and not _RATE.search(said) else said)


@lru_cache(maxsize=65536)
def kind_of(phrase: str) -> Kind:
    """What a key is."""
    parts = words(english(phrase))
    said = frozenset(parts)
    if not parts:
        return Kind.NOTHING
    if (role := said - {"progress"}) and role <= SPLITS.keys():
        return Kind.ROLE
    if _EXCEPTION.search(phrase) or ("cost" in said and said & _SLOW_PARTS):  # the cost of a batch is a time
        return Kind.SIDE
    if numbers_counter(phrase):
        return _counter(parts[0])
    if len(parts) == 2 and parts[0] in PLURALS and parts[1] in _PASSED:  # `Epochs seen: 3`
        return _counter(PLURALS[parts[0]])
    if len(parts) > 2 and said & {"after", "at", "for", "in", "on"} and parts[-1] in COUNTERS | EPOCHS:
        return _counter(parts[-1])  # `validation loss at iteration`
    if is_loss(phrase):
        return _loss(said)
    if (metric := name_of(phrase).metric) in _KNOWN:
        if metric == "lr" and _PLANNED_RATES & frozenset(words(phrase.rsplit("/", 1)[-1])):
            return Kind.SETTING
        return Kind.SIDE if said & {"best", "from"} else Kind.METRIC
    if parts[-1] in COUNTERS | EPOCHS or parts in (["s"], ["it"]):
        return _counter(parts[-1]) if _COUNTER_OF_GROUP.match(phrase) or _stands_beside_counter(parts) else Kind.SIDE
    if said & SIDE:
        return Kind.SIDE
    return Kind.SETTING if said & SETTINGS else Kind.VALUE


def numbers_counter(phrase: str) -> bool:
    """Whether a key is a counter and a word for its number: `Epoch id`, `step no.`."""
    parts = words(english(phrase))
    return len(parts) == 2 and parts[0] in EPOCHS | COUNTERS and parts[1] in _NUMBER


def _stands_beside_counter(parts: Sequence[str]) -> bool:
    """Whether the words before a counter leave it one: `train step`, `training of epoch`, not `patience epochs`."""
    beside = _BESIDE_COUNTER | {"num", "total"} if parts[-1] == "updates" else _BESIDE_COUNTER
    of = len(parts) > 2 and parts[-2] == "of" and parts[-3] in _OF_A_COUNTER
    return of or len(parts) == 1 or beside.issuperset(parts)


def _counter(word: str) -> Kind:
    return Kind.EPOCH if word in EPOCHS else Kind.COUNTER


def _loss(said: frozenset[str]) -> Kind:
    """A key with the word loss: the loss itself, a setting of it, or something about it (`loss scale`, `best loss`)."""
    if said & _SIDE_OF_LOSS:
        return Kind.SIDE
    return Kind.SETTING if said & {"weight", "weights", "coef"} else Kind.METRIC


def is_loss(phrase: str) -> bool:
    """Whether a key names a loss, total or component."""
    name = name_of(phrase)
    return any("loss" in part for part in words(english(phrase))) or "loss" in name.metric


def of_trade(phrase: str) -> bool:
    """Whether a key speaks of profits: a loss or an objective beside it is one of money."""
    return _TRADE.search(phrase) is not None


def last_role(text: str) -> str:
    """The last word in `text` that names a split, as `train`, `val` or `test`; empty without any."""
    return (_roles(text) or [""])[-1]


def only_role(text: str) -> str:
    """The split a text speaks of; empty where it names none, or training's and another (`train: 1600, val: 400`)."""
    roles = _roles(text)
    return roles[-1] if roles and ("train" not in roles or set(roles) == {"train"}) else ""


def _roles(text: str) -> list[str]:
    """The splits a text names, in its order."""
    said = ((word.lower(), word) for word in _WORD.findall(english(text)))
    return [SPLITS[lower] for lower, word in said if lower in SPLITS and (lower not in _NO_ROLES or word == "CV")]
