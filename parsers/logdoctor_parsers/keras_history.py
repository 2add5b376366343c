"""Keras' `History.history` written to a file: a dict of lists, one number an epoch.

As JSON (one line or many), as pandas' `to_json` (`{"loss": {"0": …}}`), as a Python dict printed into a log, pickled
(also inside a `.npy` file). Pickles are read by an unpickler that knows dicts, lists, numbers and NumPy arrays and
refuses the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from logdoctor_parsers.contract import Ending, LogFile, Match, ParsedLog, Problem
from logdoctor_parsers.history_lists import (
    Curve,
    find_lists,
    is_cut_in_first,
    left_of_lists,
    lost_before,
    of_another_length,
)
from logdoctor_parsers.history_pickle import RefusedError, is_pickle, left_of_pickle, unpickle_history
from logdoctor_parsers.names import canonical, words
from logdoctor_parsers.positions import EPOCH
from logdoctor_parsers.record_table import names_loss, names_quality, tabulate
from logdoctor_parsers.records import Records
from logdoctor_parsers.text import decode

_FEWEST_EPOCHS = 3  # in a dict printed into a log; shorter lists may be anything


@dataclass(frozen=True)
class KerasHistory:
    """A saved History: keys without `val_` are the training set's, the n-th number is that of epoch n."""

    name: str = "keras-history"
    description: str = "Keras History: JSON, printed dict or pickle"

    def sniff(self, file: LogFile) -> Match:
        try:
            head = file.head
        except (OSError, EOFError):
            return Match.NO
        if is_pickle(head):
            return Match.MAYBE if b"loss" in head or b"acc" in head else Match.NO
        text = decode(head)[0]
        if '"cell_type"' in text or '"log_history"' in text:
            return Match.NO
        if _is_document(text):
            left = left_of_lists(text, ())[0] if is_cut_in_first(text) else []
            return Match.SURE if _of_training([*find_lists(text), *left]) else Match.NO
        printed = any(len(curve.values) >= _FEWEST_EPOCHS and names_loss(curve.key) for curve in find_lists(text))
        return Match.MAYBE if printed else Match.NO

    def parse(self, file: LogFile) -> ParsedLog:
        content = file.read()
        if is_pickle(content):
            return self._parse_pickle(content)
        text = decode(content)[0]
        curves, problems = list(find_lists(text)), list[Problem]()
        if _is_document(text):
            damaged, problems = left_of_lists(text, curves)
            curves = sorted([*curves, *damaged], key=lambda curve: curve.start)
        else:  # a dict in a log, or a document whose first bytes are damaged
            problems = lost_before(text, curves)
        curves = _worth_reading(curves, document=_is_document(text))
        lines = text.count("\n") + (not text.endswith("\n"))
        cut = _is_document(text) and not text.rstrip().endswith(("}", "]"))
        histories = [_settled(text, history) for history in _histories(curves)]
        problems += [problem for _, told in histories for problem in told]
        ending = Ending("torn", lines, "the file is cut off") if cut else Ending()
        return self._result([history for history, _ in histories], lines, ending, problems)

    def _parse_pickle(self, content: bytes) -> ParsedLog:
        problems = []
        try:
            history = unpickle_history(content)
        except ValueError as error:
            history = {} if isinstance(error, RefusedError) else left_of_pickle(content)
            left = f"; {sum(map(len, history.values()))} numbers in front of the damage" if history else ""
            problems = [Problem(0, f"pickle not read: {error}{left}")]
        curves = [Curve(key, values, list(range(1, len(values) + 1))) for key, values in history.items()]
        if problems and curves:  # what is left of the last list
            curves[-1] = replace(curves[-1], behind=0)
        longest = max((len(curve.values) for curve in curves), default=0)
        return self._result([curves] if curves else [], longest, Ending(), problems)

    def _result(
        self, histories: Iterable[Sequence[Curve]], lines: int, ending: Ending, problems: Sequence[Problem] = ()
    ) -> ParsedLog:
        records = Records()
        for history in histories:
            _add_history(records, history)
        table, facts = tabulate(records, bare_split="train")
        return ParsedLog(
            self.name,
            table,
            facts,
            tuple(problems),
            lines=lines,
            data=len(records),
            unreadable=len(problems),
            ending=ending,
        )


def _is_document(text: str) -> bool:
    """Whether the text is a dict, or a list of dicts, from its first character on, not a log with a dict in it."""
    return text.lstrip("\ufeff \t\r\n[").startswith("{")


def _of_training(curves: Iterable[Curve]) -> bool:
    """Whether lists are those of a history: a loss or a known metric among them, with more than one number."""
    return any(len(c.values) > 1 and _is_metric(c.key) for c in curves)


def _is_metric(key: str) -> bool:
    return names_loss(key) or names_quality(key)


def _worth_reading(curves: list[Curve], *, document: bool) -> list[Curve]:
    """Metrics, and other lists as long as one of them; of a log only the dicts that hold a metric."""
    if not document:
        starts = [i for i, curve in enumerate(curves) if i == 0 or not curve.continues]
        groups = [curves[start:end] for start, end in pairwise([*starts, len(curves)])]
        curves = [curve for group in groups if _of_training(group) for curve in group]
    lengths = {len(curve.values) for curve in curves if _is_metric(curve.key)}
    return [curve for curve in curves if _is_metric(curve.key) or len(curve.values) in lengths]


def _histories(curves: list[Curve]) -> Iterator[list[Curve]]:
    """Lists divided into histories: a key that comes again begins the next one (folds, several fits)."""
    history: dict[str, Curve] = {}
    for curve in curves:
        if curve.key in history:
            yield list(history.values())
            history = {}
        history[curve.key] = curve
    if history:
        yield list(history.values())


def _settled(text: str, history: Sequence[Curve]) -> tuple[list[Curve], list[Problem]]:
    """The lists of a history, each number at a place that is certain or, where its list is astray, at none."""
    length = _agreed(history)
    whole = [curve for curve in history if curve.behind < 0 and len(curve.values) == length]
    settled, problems = [], list[Problem]()
    for curve in history:
        told = None
        if curve.behind >= 0:
            curve, told = curve.placed(length)
        elif length and len(curve.values) != length:
            curve, told = of_another_length(text, curve, length, whole)
        settled.append(curve)
        problems += [told] if told else []
    return settled, problems


def _agreed(history: Iterable[Curve]) -> int:
    """How many epochs the whole lists tell of: the most frequent length, and one of the training set's.

    0 where they do not agree: damage has made some longer or shorter, or validation was not done after each epoch.
    """
    whole = [curve for curve in history if curve.behind < 0 and not curve.astray]
    lengths = Counter(len(curve.values) for curve in whole).most_common(2)
    if not lengths or (len(lengths) > 1 and lengths[0][1] == lengths[1][1]):
        return 0
    length = lengths[0][0]
    trained = any(len(curve.values) == length and canonical(curve.key).split != "val" for curve in whole)
    return length if trained or len(lengths) == 1 else 0


def _add_history(records: Records, history: Sequence[Curve]) -> None:
    """One row an epoch, counted from 1 unless the whole lists do not agree, or one of them is the epoch itself."""
    length = _agreed(history) or max(len(curve.values) for curve in history)
    agreed = _agreed(history) or all(curve.behind >= 0 for curve in history)
    labelled = any("_".join(words(curve.key)) in EPOCH for curve in history)
    rows: dict[tuple[bool, int], list[tuple[int, str, float]]] = {}
    for curve in history:
        for place, line, value in zip(curve.places(length), curve.lines, curve.values, strict=False):
            rows.setdefault((curve.astray, place), []).append((line, curve.key, value))
    for (astray, index), row in sorted(rows.items()):
        records.begin(min(line for line, _, _ in row))
        if agreed and not labelled and not astray:
            records.put("epoch", index + 1)
        for line, key, value in row:
            records.put(key, value, line)


PARSER = KerasHistory()
