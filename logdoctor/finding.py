"""What an analyzer returns: a judgement with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Severity(IntEnum):
    """How much a finding matters; the order is used for sorting and for `--fail-on`."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Evidence:
    """A place in a log: file as the report calls it, line from 1 (record in event files), and what stands there."""

    source: str
    line: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.source}:{self.line}"


@dataclass(frozen=True)
class Span:
    """A stretch of the run in its axis' unit (`epoch`, `step` or `index`)."""

    start: float
    end: float
    unit: str


@dataclass(frozen=True)
class Finding:
    """A judgement: `message` says what, `would_change` what would change the verdict.

    `advice`: the cause in one sentence, then the remedy.
    """

    analyzer: str
    severity: Severity
    message: str
    advice: str
    span: Span
    evidence: tuple[Evidence, ...]
    firm: bool = True
    numbers: Mapping[str, float | str | None] = field(default_factory=dict)
    would_change: str = ""


@dataclass(frozen=True)
class Ignored:
    """A finding that the user does not want to be told of, and why (empty: not said)."""

    finding: Finding
    reason: str = ""


@dataclass(frozen=True)
class Skipped:
    """An analyzer that could not judge, and why."""

    analyzer: str
    reason: str


@dataclass(frozen=True)
class Failed:
    """An analyzer that crashed; the others are not touched by it."""

    analyzer: str
    error: str


class CannotJudgeError(Exception):
    """Raised by an analyzer that lacks what it needs; the message is the reason shown in the report."""
