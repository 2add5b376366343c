"""A new parser and a new analyzer each cost three touches: a module, a line in the tuple, a sample."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import logdoctor
from logdoctor import analyzers, explain, reading
from logdoctor.analyzers.contract import limit
from logdoctor.case import Case
from logdoctor.finding import CannotJudgeError, Evidence, Finding, Severity, Span
from logdoctor_parsers import LogFile, Match, ParsedLog, TableBuilder

SAMPLE = "".join(f"@{i} L={1 / (i + 1):.4f}\n" for i in range(30))


@dataclass(frozen=True)
class AtSign:
    """First touch: the module. Lines such as `@3 L=0.25`."""

    name: str = "at-sign"
    description: str = "lines such as @3 L=0.25"

    def sniff(self, file: LogFile) -> Match:
        return Match.SURE if file.head.startswith(b"@0 L=") else Match.NO

    def parse(self, file: LogFile) -> ParsedLog:
        builder = TableBuilder()
        lines = file.read().decode().splitlines()
        for number, line in enumerate(lines, 1):
            if match := re.match(r"@(\d+) L=([\d.]+)", line):
                builder.add("loss", float(match[2]), number, epoch=float(match[1]))
        table = builder.build()
        return ParsedLog(self.name, table, lines=len(lines), data=len(table))


@dataclass(frozen=True)
class TooGood:
    """The loss fell below a floor.

    What it says: the train loss is suspiciously low.
    """

    name: ClassVar[str] = "too-good"
    floor: float = limit(0.05, "loss", "nothing real is that low")

    def analyze(self, case: Case) -> Finding | None:
        train = case.run.train
        if train is None:
            raise CannotJudgeError("no train loss in the log")
        if train.value[-1] > self.floor:
            return None
        span = Span(train.x[0], train.x[-1], case.run.axis.unit)
        return Finding(
            self.name, Severity.WARNING, "too good to be true", "look for a leak", span, (train.evidence(-1),)
        )


@dataclass(frozen=True)
class Broken:
    name: ClassVar[str] = "broken"

    def analyze(self, case: Case) -> Finding | None:
        raise ZeroDivisionError("oops")


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Second and third touch: the line in the tuple, and the sample."""
    monkeypatch.setattr(reading, "PARSERS", (*reading.PARSERS, AtSign()))
    monkeypatch.setattr(analyzers, "ANALYZERS", (*analyzers.ANALYZERS, TooGood(), Broken()))
    path = tmp_path / "run.log"
    path.write_text(SAMPLE)
    return path


def test_a_new_parser_is_found_read_and_reported(sample: Path) -> None:
    (diagnosis,) = logdoctor.diagnose(sample).runs
    assert diagnosis.run.formats == ("at-sign",)
    assert diagnosis.run.train is not None
    assert diagnosis.run.train.value[:2].tolist() == [1.0, 0.5]
    assert diagnosis.run.train.evidence(1) == Evidence(str(sample), 2)


def test_a_new_analyzer_judges_takes_limits_and_has_a_page(sample: Path) -> None:
    assert "too-good" in {f.analyzer for f in logdoctor.diagnose(sample).findings}
    strict = logdoctor.diagnose(sample, limits={"too-good": {"floor": 0.001}})
    assert "too-good" not in {f.analyzer for f in strict.findings}
    assert "suspiciously low" in explain.explanation("too-good")
    assert "floor = 0.05  # loss: nothing real is that low" in explain.explanation("too-good")


def test_an_analyzer_that_crashes_is_listed_and_costs_nothing_else(sample: Path) -> None:
    (diagnosis,) = logdoctor.diagnose(sample).runs
    assert [(failed.analyzer, failed.error) for failed in diagnosis.failed] == [("broken", "ZeroDivisionError: oops")]
    assert "too-good" in {f.analyzer for f in diagnosis.findings}


def test_two_parsers_that_are_sure_are_an_error_that_names_both(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PARSERS", (*reading.PARSERS, AtSign(name="other")))
    (unread,) = logdoctor.diagnose(sample).unread
    assert "at-sign and other" in unread.reason
    assert "--parser" in unread.reason
    assert len(logdoctor.diagnose(sample, parser="other").runs) == 1


def test_a_run_whose_measures_crash_costs_only_itself(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(case: Case) -> dict[str, float | None]:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("logdoctor.measures.measure", crash)
    (diagnosis,) = logdoctor.diagnose(sample).runs
    assert [failed.error for failed in diagnosis.failed] == ["ZeroDivisionError: oops"]
    assert diagnosis.state == "unknown"


NONSENSE: dict[str, Callable[[ParsedLog], object]] = {
    "it returned NoneType": lambda log: None,
    "its table is NoneType": lambda log: replace(log, table=None),
    "the column step has the shape (3,)": lambda log: with_column(log, step=np.zeros(3)),
    "the column value is no array of numbers": lambda log: with_column(log, value=np.array([None] * 30)),
    "the column line is no array of integers": lambda log: with_column(log, line=np.zeros(30)),
    "the column epoch has the shape (30, 2)": lambda log: with_column(log, epoch=np.zeros((30, 2))),
    "code names series that do not exist": lambda log: with_column(log, code=np.full(30, -1)),
    "series is no tuple of Series": lambda log: with_column(log, series=("loss",)),
    "facts is no tuple of Fact": lambda log: replace(log, facts=(None,)),
    "lines is no int": lambda log: replace(log, lines=None),
}


def with_column(log: ParsedLog, **columns: object) -> ParsedLog:
    return replace(log, table=replace(log.table, **columns))  # type: ignore[arg-type]


@pytest.mark.parametrize("reason", NONSENSE)
def test_a_parser_that_returns_nonsense_costs_its_file_only(
    sample: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    sample.with_name("good.csv").write_text("epoch,loss\n" + "".join(f"{n},{2 / (n + 1)}\n" for n in range(30)))
    parse = AtSign.parse
    monkeypatch.setattr(AtSign, "parse", lambda self, file: NONSENSE[reason](parse(self, file)))
    report = logdoctor.diagnose(sample.parent)
    assert [diagnosis.run.name for diagnosis in report.runs] == ["good"]
    (unread,) = report.unread
    assert reason in unread.reason
