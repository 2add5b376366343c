"""The words around a number: the key before it and the unit behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from logdoctor_parsers.keys import Kind, kind_of
from logdoctor_parsers.names import words

MAX_NAME = 120  # characters before a number that may name it
MAX_WORDS = 6  # of a name; more are a sentence

_WRAPPERS = re.compile(r"""(?:[\[({<"'#]|\b(?:tensor|array|param|Decimal|(?:np|numpy|torch|jnp)\.\w+)\()\s*$""")
_SEPARATOR = re.compile(
    r"""(?:(?<=\w)["']\s*(?P<item>,)|["']?\s*(?P<said>\([^()]*\)|\[[^\[\]]*\])?\s*"""
    r"""(?P<sep>=>|->|[:=]{1,2}|\.{2,}|[|;]|\b(?:is|was|are|to)\b)?)\s*$"""
)
_VERBS = ("is", "was", "are", "to")
_DASHED = re.compile(r"(?<=\w) -\s*$")
_NAME_BACKWARDS = re.compile(r"(?:[\w@/.+*#&% -]|(?<=\w)'(?=\w))*")
_UNICODE = re.compile(r"^u'")  # as Python 2 prints dicts
_EDGES = re.compile(r"^[^\w@]+|[^\w%)@]+$")
_FILE = re.compile(  # a file is no word of the name behind it: `saved ckpt/epoch_3.pth val_loss=0.4`
    r"\.(?:pth?|ckpt|h5|hdf5|keras|pkl|pickle|npz|npy|bin|safetensors|onnx|caffemodel|tar|gz|zip|json|ya?ml|txt|csv|py)$"
)
_JOINED = re.compile(r"\b(?:and|with|while|an?|[Tt]he)\s+(?=[A-Za-z])")  # `finished with loss`, `and a loss of`
_UNIT = re.compile(
    r"\s?(?:"
    r"(?:samples|images|imgs?|examples|tokens?|tok|its?|iters?|steps|batch(?:es)?|s|sec|ms|frames)"
    r"/(?:sec(?:ond)?s?|s|step|batch|iter|epoch|it|tick)"
    r"|(?:samples|images|examples|batches)(?!\s*=)\b"
    r"|(?:seconds?|secs?|steps|iterations|mins?|minutes|hours|hrs|days?|ms|[KMGT]i?B|s(?=\s*[;,.)\]|]|$))(?!\w)(?!\s*[:=(]))"
    r"|(?:个|次)?epochs?(?![\w]|\s*[:=])|\s?(?:个|次)?(?:轮次?|回合|エポック|에폭)"
    r"|[A-Za-zµ]+(?:/[A-Za-z]+)?(?![\w:=@.-])"
)
_BEFORE_EDGES = (Kind.METRIC, Kind.EPOCH)
_SMALL_WORDS = frozenset(
    [
        "a",
        "after",
        "and",
        "at",
        "by",
        "for",
        "in",
        "is",
        "of",
        "on",
        "over",
        "than",
        "the",
        "to",
        "took",
        "with",
        "number",
        "about",
        "only",
    ]
)


@dataclass
class Key:
    """The words before one number.

    `separated` by `:` or `=`; `opened`: the bracket right before the number; `said`: a remark in brackets,
    `loss (train): 0.3`.
    """

    phrase: str = ""
    kind: Kind = Kind.NOTHING
    separated: bool = False
    opened: str = ""
    said: str = ""

    @property
    def names(self) -> bool:
        """Whether the words can be a name: unseparated, only one that is no small word."""
        return self.separated or not (" " in self.phrase or self.phrase.lower() in _SMALL_WORDS)

    def rename(self, phrase: str) -> None:
        """Take other words."""
        self.phrase, self.kind = phrase, kind_of(phrase)


def unit_of(text: str) -> str:
    """The unit a text starts with, as it stands after a number; empty without."""
    if text.startswith("%"):
        return "%"
    match = _UNIT.match(text)
    return match[0] if match is not None and match[0].strip() else ""


def key_before(text: str) -> Key:
    """The key at the end of the text before a number."""
    key = Key()
    while (wrapper := _WRAPPERS.search(text)) is not None:
        key.opened = key.opened or wrapper[0].strip()[-1]
        text = text[: wrapper.start()]
    text = text.rstrip()
    end = None
    if text[-1:] in (":", "=") and text[-2:-1].isalnum():  # by far the most
        key.separated, text = True, text[:-1]
    elif (not text[-1:].isalnum() or text.endswith(_VERBS)) and (end := _SEPARATOR.search(text)) is not None:
        key.separated = bool(end["item"]) or (bool(end["sep"]) and not end["sep"].isalpha())
        key.said = (end["said"] or "").strip("()[]")
        text = text[: end.start()]
    dashed = _DASHED.search(text)
    key.rename(_name_at_end(text[: dashed.start()] if dashed is not None else text))
    if dashed is not None:  # `dice_loss - 0.41`; behind other words a dash parts
        key.separated = key.kind is Kind.METRIC
        if not key.separated:
            key.rename("")
    if end is not None and end["sep"] in ("|", ";") and key.kind not in _BEFORE_EDGES:  # a column's edge, not a name's
        key.rename("")
        key.separated = False
    return key


def _name_at_end(text: str) -> str:
    """The words at the end of a text, where they can be a name."""
    phrase = _UNICODE.sub("", _EDGES.sub("", _last_words(text.rstrip("\"' *")).rsplit(". ", 1)[-1]))
    last = _JOINED.split(phrase)[-1]
    if last != phrase and "best" not in words(phrase) and kind_of(last.removesuffix(" of")) is Kind.METRIC:
        phrase = last
    if phrase.endswith(" of") and kind_of(phrase[:-3]) is Kind.METRIC:
        phrase = phrase[:-3]
    return phrase if len(phrase.split()) <= MAX_WORDS else ""


def without_small_words(phrase: str) -> str:
    """`Accuracy of the network on the` → `Accuracy of the network`."""
    said = phrase.split()
    while said and said[-1].lower() in _SMALL_WORDS:
        said.pop()
    return " ".join(said)


def _last_words(text: str) -> str:
    """The words at the end of a text, one blank between them, each with a letter."""
    match = _NAME_BACKWARDS.match(text[: -MAX_NAME - 1 : -1])
    said: list[str] = []
    for word in reversed(match[0][::-1].split(" ") if match else []):
        if not any(character.isalpha() for character in word) or (said and _FILE.search(word)):
            break
        said.append(word)
    return " ".join(reversed(said))
