"""Lines that tell nothing, known by their words: no reader needs to look at how these stand to each other.

Debug output may hold thousands of line shapes seen once; whether a word can tell anything is worked out once a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from logdoctor_parsers.keys import COUNTERS, EPOCHS, PLURALS
from logdoctor_parsers.languages import PHRASES
from logdoctor_parsers.names import ALIASES, FILLERS, METRICS, SPLITS, words
from logdoctor_parsers.text_facts import NAMES

_WORD = re.compile(r"[A-Za-z]+\d*")
_COUNTS = re.compile(r"#|\be\b|counter", re.IGNORECASE)  # what counts in a table's header only
_SECONDS = re.compile(r"(?<=\d)s\W*$")  # behind the last number; before one the letter may count steps
# A file, a folder or an identifier, no unit of the number before it.
_PATH = re.compile(r"(?:(?<=\S\s)(?!and\b)[A-Za-z]|(?<=\s)/)[\w.]*[/-][\w./-]*(?!\S)", re.ASCII)
# Beginnings and ends of words that are looked for inside others.
_BEGIN = ("batch", "epoch", "iter", "minibatch", "step", "lr", "resum", "train")
_END = ("accuracy", "acc", "perplexity", "ppl", "entropy", "error", "miou", "psnr", "bleu", "reward")
_COUNTERS = EPOCHS | COUNTERS | PLURALS.keys() | SPLITS.keys()
_ALONE = frozenset("s it l cycle idt avg best fold namespace nohup creating".split())
_NETWORKS = ("G", "D")
_OPENS = ("[", "/", "of")  # before a number that is a counter or a total without a name
_SHORTEST = 3  # letters of words that hold others (`mAP`), or a label in another language
_NO_WORD = 4  # letters and digits of an exponent at most


def _telling(names: Iterable[str]) -> frozenset[str]:
    """The longest word of each name, by which the name is missed where it is missing."""
    split = [_WORD.findall(name.lower().replace("_", " ")) for name in names]
    return frozenset(max([w for w in said if w not in FILLERS] or said, key=len) for said in split if said)


_VOCABULARY = (
    _COUNTERS
    | _ALONE
    | _telling((*METRICS, *ALIASES))
    | _telling(name for names in NAMES.values() for name in names.split())
    | _telling(PHRASES)
)


def is_prose(text: str, parts: Sequence[str]) -> bool:
    """Whether a line holds no counter, metric, split or setting; `parts`: the line split at its numbers.

    True is certain; a line that tells nothing may give False.
    """
    if not text.isascii() or any(part.rstrip().endswith(_OPENS) for part in parts[:-1:2]):
        return False
    if len(parts) == 1 and _COUNTS.search(text):
        return False
    said = _WORD.findall(_SECONDS.sub("", text))
    return max(map(len, said), default=0) > _NO_WORD and not any(map(_tells, said))


def without_paths(text: str) -> str:
    """The text behind the last number of a line, with one mark for each path that tells nothing."""
    return _PATH.sub(_mark, text) if "/" in text or "-" in text else text


def _mark(path: re.Match[str]) -> str:
    return path[0] if any(map(_tells, _WORD.findall(path[0]))) else "\0"


@lru_cache(maxsize=65536)
def _tells(word: str) -> bool:
    """Whether a word (letters, then digits) may be part of what a line tells."""
    lower = word.lower()
    letters = lower.rstrip("0123456789")
    if lower in _VOCABULARY or letters in _COUNTERS or word in _NETWORKS or "loss" in lower:
        return True
    if lower.startswith(_BEGIN) or letters.endswith(_END):
        return True
    return len(letters) >= _SHORTEST and not _VOCABULARY.isdisjoint(words(word))
