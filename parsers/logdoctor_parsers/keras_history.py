"""Keras' `History.history` written to a file: a dict of lists, one number an epoch.

As JSON (one line or many), as pandas' `to_json` (`{"loss": {"0": …}}`), as a Python dict printed into a log, pickled
(also inside a `.npy` file). Pickles are read by an unpickler that knows dicts, lists, numbers and NumPy arrays and
refuses the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from logdoctor_parsers.contract import Ending, LogFile, Match, ParsedLog, Problem
from logdoctor_parsers.history_lists import Curve, find_lists, left_of_lists
from logdoctor_parsers.history_pickle import is_pickle, unpickle_history
from logdoctor_parsers.names import words
from logdoctor_parsers.positions import EPOCH
from logdoctor_parsers.records import Records, names_loss, names_quality, tabulate
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
            return Match.SURE if _of_training(find_lists(text)) else Match.NO
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
        curves = _worth_reading(curves, document=_is_document(text))
        lines = text.count("\n") + (not text.endswith("\n"))
        cut = _is_document(text) and not text.rstrip().endswith(("}", "]"))
        return self._result(curves, lines, Ending("torn", lines, "the file is cut off") if cut else Ending(), problems)

    def _parse_pickle(self, content: bytes) -> ParsedLog:
        try:
            history = unpickle_history(content)
        except ValueError as error:
            problem = Problem(0, f"pickle not read: {error}")
            return ParsedLog(self.name, tabulate(Records())[0], problems=(problem,), unreadable=1)
        curves = [Curve(key, values, list(range(1, len(values) + 1))) for key, values in history.items()]
        return self._result(curves, max((len(curve.values) for curve in curves), default=0), Ending())

    def _result(self, curves: list[Curve], lines: int, ending: Ending, problems: Sequence[Problem] = ()) -> ParsedLog:
        records = Records()
        for history in _histories(curves):
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


def _add_history(records: Records, history: list[Curve]) -> None:
    """One row an epoch; epochs count from 1 where all lists have one length and none is the epoch itself."""
    whole = {len(curve.values) for curve in history if curve.behind < 0}
    length = max(whole, default=max(len(curve.values) for curve in history))
    labelled = any("_".join(words(curve.key)) in EPOCH for curve in history)
    rows: dict[int, list[tuple[int, str, float]]] = {}
    for curve in history:
        for place, line, value in zip(curve.places(length), curve.lines, curve.values, strict=False):
            rows.setdefault(place, []).append((line, curve.key, value))
    for index, row in sorted(rows.items()):
        records.begin(min(line for line, _, _ in row))
        if len(whole) == 1 and not labelled:
            records.put("epoch", index + 1)
        for line, key, value in row:
            records.put(key, value, line)


PARSER = KerasHistory()
