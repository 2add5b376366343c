"""The README's tables of speed keep the rows that a run did not measure."""

from __future__ import annotations

from tests.bench.readme import merged

OLD = "| data | s |\n|---|---|\n| a | 1 |\n| b | 2 |\n\n| command | s |\n|---|---|\n| x | 3 |\n\n*then*\n"


def test_rows_are_replaced_in_place_and_new_ones_follow() -> None:
    new = "| data | s |\n|---|---|\n| b | 5 |\n| c | 6 |\n\n*now*"
    assert merged(OLD, new) == (
        "| data | s |\n|---|---|\n| a | 1 |\n| b | 5 |\n| c | 6 |\n\n| command | s |\n|---|---|\n| x | 3 |\n\n*now*"
    )


def test_the_first_tables_stand_as_measured() -> None:
    assert merged("", OLD) == OLD.strip()
