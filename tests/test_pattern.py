"""Formats written as data."""

from __future__ import annotations

import pytest
from parsed import column, facts, log_file, meaning, values

from logdoctor_parsers import Match
from logdoctor_parsers.pattern import Pattern, PatternError, PatternParser, template_for

LOG = """start
>> 1/3 :: 2.5 / 2.75 @ 1e-3
>> 2/3 :: 1.5 / 1.95 @ 1e-3
noise 17
>> 3/3 :: nan / 1.85 @ 1e-4
"""
PARSER = PatternParser((Pattern(">> {epoch}/{epochs} :: {loss} / {val_loss} @ {lr}"),))


def test_a_pattern_reads_values_positions_and_plans() -> None:
    log = PARSER.parse(log_file(LOG))
    assert values(log, "val_loss") == [2.75, 1.95, 1.85]
    assert column(log, "epoch", "lr") == [1, 2, 3]
    assert column(log, "line", "loss") == [2, 3, 5]
    assert values(log, "loss")[:2] == [2.5, 1.5]
    assert str(values(log, "loss")[2]) == "nan"
    assert meaning(log, "val_loss") == {("loss", "val")}
    assert facts(log)["epochs"] == 3
    assert (log.data, log.lines) == (3, 5)


def test_blanks_match_any_blanks_and_underscores_skip() -> None:
    parser = PatternParser((Pattern("it {step} took {_} loss {loss}"),))
    log = parser.parse(log_file("it   10  took 3.1s\tloss  -0.25\nit 20 took 0:03:01 loss 5e-1%\n"))
    assert values(log, "loss") == [-0.25, 0.5]
    assert column(log, "step", "loss") == [10, 20]


def test_a_line_without_position_takes_the_one_before() -> None:
    parser = PatternParser((Pattern("Epoch {epoch}: {loss}"), Pattern("  held out: {val loss}")))
    log = parser.parse(log_file("Epoch 4: 0.5\n  held out: 0.75\n"))
    assert column(log, "epoch", "val loss") == [4]


def test_a_pattern_without_split_takes_the_one_given() -> None:
    log = PatternParser((Pattern("V {epoch} {loss}", split="val"),)).parse(log_file("V 1 0.5\n"))
    assert meaning(log, "loss") == {("loss", "val")}


def test_time_stamps_before_the_line_do_not_matter() -> None:
    log = PARSER.parse(log_file("2024-01-01 10:00:00,5 >> 1/3 :: 2.5 / 2.75 @ 1e-3\n"))
    assert column(log, "wall_time", "loss") == [1704103200.0]


def test_no_fit_is_an_error_that_shows_the_nearest_line() -> None:
    with pytest.raises(
        PatternError, match=r"train\.log: no line fits .*nearest is line 2: '>> 1/3 :: 2.5 / 2.75 @ 1e-3'"
    ):
        PatternParser((Pattern(">> {epoch}/{_} :: {loss} / {val_loss} # {lr}"),)).parse(log_file(LOG))


@pytest.mark.parametrize("template", ["Epoch {epoch}", "nothing", "{loss} and {loss}"])
def test_useless_patterns_are_errors(template: str) -> None:
    with pytest.raises(PatternError, match="pattern"):
        PatternParser((Pattern(template),)).parse(log_file(LOG))


def test_sniff() -> None:
    assert PARSER.sniff(log_file(LOG)) is Match.MAYBE
    assert PARSER.sniff(log_file("loss 3\n")) is Match.NO


def test_a_long_hostile_line_is_no_trouble() -> None:
    parser = PatternParser((Pattern("{_} {_} {_} loss {loss} {_} end"),))
    log = parser.parse(log_file("a b c loss 1 d end\n" + "1 " * 20_000 + "\n" + "loss 1" * 5_000 + "\n"))
    assert values(log, "loss") == [1]


@pytest.mark.parametrize(
    ("line", "template"),
    [
        ("7 | 0.532 | 0.611 | x", "{step} | {loss} | {_} | x"),
        ("gen 7 / objective/L2 0.532 and 0.611", "gen {_} / objective/L2 {loss} and {_}"),
        ("(epoch 3 of 20) acc ... 0.5", "(epoch {epoch} of {_}) acc ... {acc}"),
        ("nothing but 12 words", ""),
    ],
)
def test_a_proposed_pattern_fits_its_line(line: str, template: str) -> None:
    assert template_for(line) == template
    assert not template or Pattern(template).values(line) is not None
