"""The summary in the terminal: worst first, as wide as the terminal, colours only where they are wanted."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from logdoctor.diagnosis import Report, Unread
from logdoctor.finding import Severity
from logdoctor.report.console import show, sparkline
from tests.factories import diagnosis, falling, finding, run


def printed(report: Report, width: int = 100, **options: bool) -> str:
    stream = io.StringIO()
    show(report, Console(file=stream, width=width, **options))  # type: ignore[arg-type]
    return stream.getvalue()


def both() -> Report:
    bad = diagnosis(run("exploded"), finding("divergence", Severity.ERROR))
    return Report((bad, diagnosis(run("calm"))), (Unread("core.dump", "not recognised as a training log"),))


def test_runs_are_listed_in_the_reports_order_with_a_verdict() -> None:
    text = printed(both())
    lines = text.splitlines()
    assert lines[1].startswith("✗  exploded  divergence (epoch 20–40)")
    assert lines[2].startswith("✓  calm")
    assert "not read: core.dump: not recognised as a training log" in text
    assert lines[-1] == "2 runs: 1 with errors."


@pytest.mark.parametrize("width", [30, 60, 80, 140])
def test_lines_never_exceed_the_terminal(width: int) -> None:
    assert max(len(line) for line in printed(both(), width).splitlines()) <= width


def test_colours_only_on_a_terminal_that_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" not in printed(both())
    assert "\x1b[1;31m" in printed(both(), force_terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "[1;31m" not in printed(both(), force_terminal=True)


def test_log_text_is_neither_markup_nor_control() -> None:
    text = printed(Report((diagnosis(run("[red]x[/red]\x1b[2J")),)))
    assert "[red]x[/red]␛[2J" in text


def test_hundreds_of_calm_runs_are_counted_not_listed() -> None:
    calm = [diagnosis(run(f"calm{i}")) for i in range(300)]
    text = printed(Report((diagnosis(run("bad"), finding()), *calm)))
    assert len(text.splitlines()) < 8
    assert "300 more runs need nobody" in text


def test_sparkline_falls_with_the_loss() -> None:
    value = falling(200)
    line = sparkline(np.arange(200.0), value, 16)
    assert len(line) == 16
    assert line[0] in "▇█"
    assert line[-1] == "▁"
    assert list(line) == sorted(line, reverse=True)


def test_sparkline_shows_what_is_no_number() -> None:
    assert sparkline(np.arange(4.0), np.array([2.0, 1.0, np.nan, np.inf]))[-2:] == "××"
    assert sparkline(np.array([]), np.array([])) == ""
    assert len(sparkline(np.arange(3.0), np.zeros(3))) == 3


def test_an_empty_report() -> None:
    assert printed(Report(())).strip() == "No training run was found."


def test_the_three_worst_of_three_hundred_stand_in_the_first_forty_lines() -> None:
    worst = [diagnosis(run(f"worst{i}"), finding("divergence", Severity.ERROR)) for i in range(3)]
    urgent = [diagnosis(run(f"urgent{i}"), finding()) for i in range(120)]
    text = printed(Report((*worst, *urgent, *(diagnosis(run(f"calm{i}")) for i in range(177)))))
    first = text.splitlines()[:40]
    assert all(any(f"worst{i}" in line and "divergence" in line for line in first) for i in range(3))
    assert "177 more runs need nobody" in text
