"""What an analyzer is: a frozen dataclass whose fields are its limits and whose docstring is its page in the manual.

The docstring has the headings *What it says*, *Why it matters*, *How it decides*, *Limits*, *What fools it* and
*Reference*. `analyze` returns a `Finding`, None where all is well, or raises `CannotJudgeError` with the reason.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any, ClassVar, Protocol

from logdoctor.case import Case
from logdoctor.finding import Finding

HEADINGS = ("What it says", "Why it matters", "How it decides", "Limits", "What fools it", "Reference")


def limit(default: float, unit: str, reason: str) -> Any:
    """A limit a user can set in logdoctor.toml: default, unit, and the reason for the default."""
    return field(default=default, metadata={"unit": unit, "reason": reason})


class Analyzer(Protocol):
    """One diagnosis."""

    name: ClassVar[str]

    def analyze(self, case: Case) -> Finding | None:
        """Judge one run. Errors: CannotJudgeError with the reason, where the log does not hold what is needed."""
        ...
