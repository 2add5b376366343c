"""Lines that say a checkpoint was written, in whatever words: what to restart from after a crash."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from logdoctor_parsers.contract import Checkpoint
from logdoctor_parsers.text import TextLines

MESSAGE_LENGTH = 120
PATH_LENGTH = 400
_SAVED_WORDS = ("aved", "aving", "ave ", "rote ", "ritten ", "riting ", "napshotting", "opying ")
_DELETED_WORDS = ("elet", "emov")
_WRITTEN = re.compile(
    r"(?<![-.\w/\\])(?:sav(?:ed|ing)|writing|wrote|written|snapshotting|copying"
    r"|save (?=(?:\w+ ){0,3}(?:model|check|weight)))",
    re.IGNORECASE,
)
_DELETED = re.compile(r"(?<![-.\w/\\])(?:delet|remov)(?:ed|ing)\b", re.IGNORECASE)
_NOT_DONE = re.compile(
    r"\b(?:(?:will|would|to) be|will|not|found|every|error)\b|\b(?:fail|skip|load|reload|restor|resum)",
    re.IGNORECASE,
)
_OBJECT = r"(?:check[- ]?points?|ckpts?|models?|weights?|snapshots?|parameters|params|network|states?(?:[ _]dict)?)"
_NAMED = re.compile(rf"\b{_OBJECT}\b", re.IGNORECASE)
_SUFFIX = (
    r"\.(?:pth(?:\.tar)?|pt|ckpt(?:-\d+)?|caffemodel(?:\.h5)?|solverstate(?:\.h5)?|h5|hdf5|keras|weights|params|states"
    r"|safetensors|th|t7|pdparams|pdopt|npz|pkl|bin|tar|model|msgpack|mdl|nemo|zip)"
)
_QUOTED = re.compile(rf"[\"'`]([^\"'`]+{_SUFFIX})[\"'`]", re.IGNORECASE)
_FILE = re.compile(rf"((?:[A-Za-z]:[/\\])?[^\s\"'`,;()\[\]]+{_SUFFIX})(?![\w/\\-])", re.IGNORECASE)
_WORD = r"[^\s\"'`,;()\[\]]*"
_TARGET = re.compile(rf"\b(?:to|into|in|at|as|under|checkpoint)\b[: ]+[\"'`\[(]?({_WORD}[/\\]{_WORD})")
_FOLDER = re.compile(rf"\b{_OBJECT}\s+(?:to|into|in)\s+[\"'`]?([A-Za-z][\w.-]*)[\"'`]?\s*$", re.IGNORECASE)
_OTHER_FILE = re.compile(r"\.(?:json|ya?ml|txt|log|csv|png|jpe?g|svg|pdf|py|vocab|toml|html)$", re.IGNORECASE)
_NO_FOLDER = ("disk", "file", "memory", "cache", "wandb", "mlflow", "hub")
_WITHOUT_PATH = re.compile(
    rf"\bsav(?:ed?|ing) (?:\w+ ){{0,3}}{_OBJECT}\b"
    rf"|\b{_OBJECT} (?:is |was |has been |successfully )*(?:saved|written)\b",
    re.IGNORECASE,
)


def checkpoints_in(lines: TextLines, places: Sequence[int] | None = None) -> tuple[Checkpoint, ...]:
    """The checkpoints that a log says were written and not deleted again, in order.

    `places`: the lines that may say so, all others being known to tell nothing of the kind.
    """
    found: dict[str, Checkpoint] = {}
    places = range(len(lines)) if places is None else places
    texts = [lines.texts[place] for place in places]
    for index in _candidates(texts):
        number, text = lines.numbers[places[index]], texts[index]
        if _DELETED.search(text):
            _forget(found, text)
        elif (checkpoint := checkpoint_in(text, number)) is not None:
            key = checkpoint.path or checkpoint.text
            found.pop(key, None)  # written anew: it counts from here on
            found[key] = checkpoint
    return tuple(checkpoint for key, checkpoint in found.items() if not _inside(key, found))


def checkpoint_in(text: str, number: int) -> Checkpoint | None:
    """The checkpoint that one line says was written; None where it says nothing of the kind."""
    verb = _WRITTEN.search(text)
    if verb is None or len(text) > 10 * PATH_LENGTH or _NOT_DONE.search(text):
        return None
    if (path := _path(text)) is not None:
        return Checkpoint(path, number, text.strip()[:MESSAGE_LENGTH])
    if (said := _WITHOUT_PATH.search(text)) is None or _names_other_file(text):
        return None
    return Checkpoint("", number, text[said.start() :].strip()[:MESSAGE_LENGTH])


def _names_other_file(text: str) -> bool:
    return any(_OTHER_FILE.search(word.rstrip(".,;!\"')")) for word in text.split())


def may_tell(text: str) -> bool:
    """Whether a text holds any of the words without which no line says that a checkpoint was written or deleted."""
    return any(word in text for word in (*_SAVED_WORDS, *_DELETED_WORDS))


def _candidates(texts: Sequence[str]) -> list[int]:
    """The few lines worth a second look, found in the whole text at once: most logs have none among millions."""
    text = "\n".join(texts)
    if not any(word in text for word in _SAVED_WORDS):
        return []
    ends = list(accumulate(len(line) + 1 for line in texts))
    chosen = set()
    for word in (*_SAVED_WORDS, *_DELETED_WORDS):
        at = text.find(word)
        while at >= 0:
            index = bisect_right(ends, at)
            chosen.add(index)
            at = text.find(word, ends[index])
    return sorted(chosen)


def _path(text: str) -> str | None:
    """The path of a checkpoint's file or folder that a line names."""
    if (file := _QUOTED.search(text) or _FILE.search(text)) is not None:
        return file[1].strip()
    if not _NAMED.search(text):
        return None
    for pattern in (_TARGET, _FOLDER):
        if (target := pattern.search(text)) is not None:
            path = target[1].rstrip(".,;:!")
            if path.lower() not in _NO_FOLDER and not _OTHER_FILE.search(path):
                return path
    return None


def _forget(found: dict[str, Checkpoint], text: str) -> None:
    """Drop what a line says was deleted, and what lay in it."""
    gone = [path for path in found if path in text and re.search(rf"(?<![\w/\\.-]){re.escape(path)}(?![\w-])", text)]
    inside = tuple(path + separator for path in gone for separator in "/\\")
    for path in [path for path in found if path in gone or path.startswith(inside)]:
        del found[path]


def _inside(path: str, found: dict[str, Checkpoint]) -> bool:
    """Whether a path lies in a folder that is a checkpoint itself."""
    parents = (path[:end] for end, letter in enumerate(path) if letter in "/\\" and end)
    return any(parent in found for parent in parents)
