"""How numbers, places and times are written."""

from __future__ import annotations

import math

import pytest

from logdoctor.finding import Span
from logdoctor.report.numbers import amount, duration, figure, moment, multiple, place, position, share, stretch
from logdoctor.run import Axis


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5213, "0.521"), (6.9077, "6.91"), (87.3365, "87.3"), (1234.5, "1234"), (0.0, "0"), (3.0, "3"),
        (-0.25, "−0.25"),
        (1e-5, "1e-5"), (1.25e-7, "1.25e-7"), (123456.7, "1.23e5"), (0.001, "0.001"), (math.nan, "–"), (None, "–"),
        (math.inf, "∞"), (-math.inf, "−∞"), (0.1, "0.1"), (99.99, "100"), (2e9, "2e9"),
    ],
)  # fmt: skip
def test_figures(value: float | None, text: str) -> None:
    assert figure(value) == text


def test_places_have_the_precision_a_reader_needs() -> None:
    assert [place(v) for v in (20.0, 20.04, 20.06, 1560.4, math.nan, None)] == ["20", "20", "20.1", "1560", "–", "–"]
    assert amount(1.0, Axis("epoch")) == "1 epoch"
    assert amount(20.1, Axis("step")) == "20.1 steps"
    assert position(12.0, "index") == "row 12"


def test_stretches() -> None:
    assert stretch(Span(13.0, 20.0, "epoch")) == "epoch 13–20"
    assert stretch(Span(13.0, 13.0, "step")) == "step 13"
    assert stretch(Span(13.0, math.nan, "step")) == "step 13"
    assert stretch(Span(math.nan, math.nan, "step")) == "–"


def test_shares_factors_and_times() -> None:
    assert (share(0.214), share(None)) == ("21 %", "–")
    assert (multiple(0.1), multiple(0.31623), multiple(None)) == ("×0.1", "×0.32", "–")
    assert [duration(h) for h in (9.42, 0.2, 115 / 3600, 0.0, None)] == ["9.4 h", "12 min", "115 s", "0 s", "–"]
    assert moment(1763694840.0) == "2025-11-21 03:14"
    assert (moment(0.0), moment(math.nan), moment(None)) == ("–", "–", "–")
