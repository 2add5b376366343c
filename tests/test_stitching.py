"""Counters that go back: experiments, restarts, and what is left alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from logdoctor.rows import Rows, from_table
from logdoctor.stitching import stitch
from logdoctor_parsers import TableBuilder


def rows(steps: Iterable[float], tag: str = "loss") -> Rows:
    """Rows of one series at `steps`; each value is the row's number, so that a test can tell copies apart."""
    builder = TableBuilder()
    for number, step in enumerate(steps):
        builder.add(tag, float(number), number + 1, step=step)
    return from_table(builder.build())


def test_a_quiet_log_is_one_experiment() -> None:
    experiments = stitch(rows(range(0, 100, 10)))
    assert len(experiments) == 1
    assert experiments[0].attempts == 1
    assert experiments[0].receipts == ()


def test_a_resume_that_overlaps_keeps_the_later_copy_and_says_so() -> None:
    (one,) = stitch(rows([*range(0, 100, 10), *range(60, 160, 10)]))
    assert one.attempts == 2
    assert one.rows.step.tolist() == [*range(0, 60, 10), *range(60, 160, 10)]
    assert one.rows.value[6] == 10.0  # the first number of the second attempt, not the seventh of the first
    assert one.rows.attempt.tolist() == [0] * 6 + [1] * 10
    assert sum(one.dropped.values()) == 4
    assert "4 numbers superseded" in one.receipts[0]
    assert "step 60" in one.receipts[0]


def test_a_counter_back_at_the_start_is_a_new_experiment() -> None:
    first, second = stitch(rows([*range(0, 100, 10), *range(0, 50, 10)]))
    assert len(first.rows) == 10
    assert len(second.rows) == 5
    assert second.rows.value[0] == 10.0


def test_three_attempts_of_one_run() -> None:
    (one,) = stitch(rows([*range(0, 100, 10), *range(60, 120, 10), *range(90, 200, 10)]))
    assert one.attempts == 3
    assert one.rows.step.tolist() == list(range(0, 200, 10))
    assert len(one.receipts) == 2


def test_equal_steps_inside_one_attempt_all_stay() -> None:
    (one,) = stitch(rows([0, 0, 0, 0, 0]))
    assert len(one.rows) == 5


def test_an_unordered_counter_is_not_a_chain_of_restarts() -> None:
    steps = [0, 20, 10, 30, 50, 40, 60, 80, 70, 90]
    (one,) = stitch(rows(steps))
    assert len(one.rows) == len(steps)


def test_a_start_that_died_at_its_first_record_is_an_attempt_of_the_run_that_follows() -> None:
    (one,) = stitch(rows([0, 0, *range(0, 100, 10)]), starts=[1, 2])
    assert one.attempts == 3
    assert one.rows.step.tolist() == list(range(0, 100, 10))


def batches(*places: tuple[float, float]) -> Rows:
    builder = TableBuilder()
    for line, (epoch, batch) in enumerate(places, 1):
        builder.add("loss", float(line), line, epoch=epoch, batch=batch, batches=1000)
    return from_table(builder.build())


def test_a_smaller_number_on_the_last_batch_is_no_restart() -> None:
    """The PyTorch MNIST example prints batch index × size of this batch, and the last batch is smaller."""
    (one,) = stitch(batches(*((epoch, batch) for epoch in range(1, 6) for batch in (0, 384, 768, 600))))
    assert one.attempts == 1


def test_an_epoch_begun_again_is_a_restart() -> None:
    (one,) = stitch(batches((1, 0), (1, 500), (2, 0), (2, 500), (3, 0), (3, 500), (3, 0), (3, 500), (4, 0)))
    assert one.attempts == 2
    assert len(one.rows) == 7


def test_a_start_stated_by_the_log_is_counted_even_without_overlap() -> None:
    (one,) = stitch(rows(range(0, 100, 10)), starts=[5])
    assert one.attempts == 2
    assert len(one.rows) == 10


def test_a_start_stated_by_the_log_voids_the_steps_it_goes_back_over() -> None:
    """The new attempt logs on another grid: without the statement the two would zig-zag."""
    steps = [*range(0, 100, 10), *range(65, 160, 10)]
    (stated,) = stitch(rows(steps), starts=[10])
    assert stated.rows.step.tolist() == [*range(0, 65, 10), *range(65, 160, 10)]
    (unstated,) = stitch(rows(steps))
    assert len(unstated.rows) == len(steps)


def test_other_series_follow_the_restart() -> None:
    builder = TableBuilder()
    for number, step in enumerate([*range(0, 100, 10), *range(60, 160, 10)]):
        builder.add("lr", 0.1, 2 * number + 1, step=step)
        builder.add("loss", 1.0, 2 * number + 2, step=step)
    (one,) = stitch(from_table(builder.build()))
    assert one.attempts == 2
    assert len(one.rows) == 32
    assert set(one.dropped.values()) == {4}


@given(st.integers(5, 60), st.integers(3, 40), st.integers(1, 60))
def test_stitching_a_resume_gives_back_the_uninterrupted_run(length: int, at: int, more: int) -> None:
    """Whatever the overlap, each step stands once and carries the value written last."""
    at = min(at, length - 2)  # nearer to the end the counter does not go back
    steps = [*range(length), *range(at, at + more)]
    experiments = stitch(rows(steps))
    (one,) = experiments
    order = np.argsort(one.rows.step, kind="stable")
    assert one.rows.step[order].tolist() == list(range(max(length, at + more)))
    last = {step: number for number, step in enumerate(steps)}
    assert one.rows.value[order].tolist() == [float(last[step]) for step in sorted(last)]
