"""Where numbers lie on the axis: epochs completed, whatever the log calls them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from logdoctor.axis import Given, place
from logdoctor.counter_columns import prepare
from logdoctor.rows import Rows, from_table
from logdoctor.run import RunFact
from logdoctor_parsers import TableBuilder

NO_FACTS: Mapping[str, RunFact] = {}


def build(*records: dict[str, float | str]) -> Rows:
    builder = TableBuilder()
    for line, record in enumerate(records, 1):
        tag = str(record.pop("tag", "loss"))
        builder.add(tag, 1.0, line, **record)  # type: ignore[arg-type]
    return prepare(from_table(builder.build()))


@pytest.mark.parametrize("base", [0, 1])
def test_labels_from_zero_or_one_count_epochs_completed(base: int) -> None:
    placed = place(build(*({"epoch": base + i} for i in range(4))), NO_FACTS, Given())
    assert placed.axis.unit == "epoch"
    assert placed.x.tolist() == [1, 2, 3, 4]


def test_fractional_epochs_are_positions() -> None:
    placed = place(build(*({"epoch": e, "step": s} for e, s in [(0.5, 16), (1.0, 32), (1.5, 48)])), NO_FACTS, Given())
    assert placed.x.tolist() == [0.5, 1.0, 1.5]
    assert placed.axis.steps_per_epoch == 32


def test_a_batch_inside_the_epoch_and_the_validation_at_its_end() -> None:
    rows = build(
        {"epoch": 0, "batch": 0, "batches": 10},
        {"epoch": 0, "batch": 5, "batches": 10},
        {"epoch": 0, "tag": "val_loss"},
        {"epoch": 1, "batch": 0, "batches": 10},
        {"epoch": 1, "batch": 5, "batches": 10},
        {"epoch": 1, "tag": "val_loss"},
    )
    assert place(rows, NO_FACTS, Given()).x.tolist() == [0, 0.5, 1, 1, 1.5, 2]


def test_steps_that_restart_every_epoch_are_batches() -> None:
    rows = build(*({"epoch": e, "step": s} for e in (1, 2, 3) for s in (0, 50, 100)))
    assert not math.isfinite(rows.step[0])
    placed = place(rows, NO_FACTS, Given())
    assert placed.x[0] == 0
    assert placed.x[3] == 1
    assert 1.3 < placed.x[4] < 1.5


def test_the_epoch_length_is_read_off_steps_and_labels() -> None:
    records = [{"epoch": e, "step": e * 50 + s} for e in range(5) for s in (0, 25, 49)]
    placed = place(build(*records), NO_FACTS, Given())
    assert placed.axis.steps_per_epoch == 50
    assert placed.axis.origin == "derived"
    assert placed.x[:4].tolist() == [0, 0.5, 1.0, 1.0]


def test_steps_alone_stay_steps_until_the_user_gives_the_epoch() -> None:
    records = [{"step": s} for s in range(0, 500, 100)]
    assert place(build(*records), NO_FACTS, Given()).axis.unit == "step"
    placed = place(build(*records), NO_FACTS, Given(steps_per_epoch=100))
    assert (placed.axis.unit, placed.axis.origin) == ("epoch", "given")
    assert placed.x.tolist() == [0, 1, 2, 3, 4]


def test_a_label_that_never_changes_gives_way_to_steps() -> None:
    placed = place(build(*({"epoch": 2, "step": s} for s in (100, 110, 120))), NO_FACTS, Given())
    assert placed.axis.unit == "step"
    assert placed.x.tolist() == [100, 110, 120]


def test_dataset_size_with_the_logs_batch_size_gives_epochs() -> None:
    facts = {
        "batch_size": RunFact(64, "a.log", 3),
        "iter_size": RunFact(2, "a.log", 4),
        "devices": RunFact(2, "a.log", 5),
    }
    placed = place(build({"step": 0}, {"step": 100}), facts, Given(dataset_size=25600))
    assert placed.axis.steps_per_epoch == 100
    assert placed.x.tolist() == [0, 1]


def test_the_augmentation_factor_turns_passes_into_effective_epochs() -> None:
    placed = place(build({"epoch": 1}, {"epoch": 2}), NO_FACTS, Given(augmentation_factor=4))
    assert placed.x.tolist() == [4, 8]


def test_rows_without_any_counter_are_numbered() -> None:
    placed = place(build({}, {}, {}), NO_FACTS, Given())
    assert placed.axis.unit == "index"
    assert placed.x.tolist() == [1, 2, 3]


def test_a_validation_without_counter_follows_the_row_before_it() -> None:
    rows = build({"step": 10}, {"tag": "val_loss"}, {"step": 20}, {"tag": "val_loss"})
    assert place(rows, NO_FACTS, Given()).x.tolist() == [10, 10, 20, 20]


def test_event_files_with_validation_against_epochs() -> None:
    """Train at steps 0, 10 … 390 and validation at 0, 1, 2, 3, written in turn: the latter are epochs of 100 steps."""
    builder = TableBuilder()
    for record, step in enumerate(range(0, 400, 10)):
        builder.add("Loss/train", 1.0, 2 * record, step=step, wall_time=1000.0 + step)
        if step % 100 == 90:
            builder.add("Loss/val", 1.0, 2 * record + 1, step=step // 100, wall_time=1000.0 + step + 5)
    placed = place(prepare(from_table(builder.build())), NO_FACTS, Given())
    assert placed.axis.unit == "epoch"
    assert placed.axis.steps_per_epoch == pytest.approx(100, rel=0.02)
    assert placed.x[-1] == 4
