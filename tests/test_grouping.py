"""Which files make one run: parts of a resumed log, twins, event-file directories; nothing else merges."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from assembled import assemble

from logdoctor.grouping import stem
from logdoctor.reading import Read
from logdoctor.run import Run
from logdoctor_parsers import LogFile, ParsedLog, TableBuilder


def read(
    path: str,
    steps: Sequence[float],
    *,
    tag: str = "loss",
    scale: float = 1.0,
    log_format: str = "text",
    digits: int = 9,
) -> Read:
    """A file of one series whose value depends on its step only, so that equal steps mean equal numbers."""
    builder = TableBuilder()
    for line, step in enumerate(steps, 1):
        builder.add(tag, round(scale * (1 + 5 / (1 + step)), digits), line, step=step, wall_time=1000.0 + step)
    return Read(LogFile(Path("/logs") / path, path), ParsedLog(log_format, builder.build(), lines=len(steps)), 0.0)


def runs(*reads: Read) -> list[Run]:
    return assemble(list(reads), Path("/logs"))[0]


def test_text_files_of_one_folder_are_runs_of_their_own() -> None:
    found = runs(read("a.log", range(20)), read("b.log", range(20), scale=2.0))
    assert [run.name for run in found] == ["a", "b"]


def test_equal_numbers_at_equal_steps_are_twins() -> None:
    (one,) = runs(read("train.log", range(20), digits=4), read("state.json", range(20)))
    assert len(one.sources) == 2
    assert len(one.curves) == 1
    assert len(one.curves[0]) == 20


def test_a_twin_that_logs_every_other_step_is_still_a_twin() -> None:
    (one,) = runs(read("train.log", range(0, 40, 2), digits=5), read("metrics.csv", range(40)))
    assert len(one.curves[0]) == 40


def test_what_only_one_twin_tells_is_kept() -> None:
    other = read("b.log", range(20), tag="val_loss", scale=3.0)
    builder = TableBuilder()
    for line, step in enumerate(range(20), 1):
        builder.add("loss", 1 + 5 / (1 + step), line, step=step)
        builder.add("grad_norm", 2.0 + step, line, step=step)
    rich = Read(LogFile(Path("/logs/c.log"), "c.log"), ParsedLog("text", builder.build()), 0.0)
    found = runs(read("a.log", range(20)), other, rich)
    assert [(run.name, {c.metric for c in run.curves}) for run in found] == [
        ("a", {"loss", "grad_norm"}),
        ("b", {"loss"}),
    ]


def test_a_resumed_log_joins_the_one_it_continues() -> None:
    (one,) = runs(read("train.log", range(20)), read("train_resume.log", range(15, 40)))
    assert one.name == "train"
    assert one.attempts == 2
    assert len(one.curves[0]) == 40
    assert one.curves[0].overlapping == 5


def test_numbered_logs_that_both_begin_at_the_start_stay_apart() -> None:
    found = runs(read("run_1.log", range(20)), read("run_2.log", range(20), scale=2.0))
    assert [run.name for run in found] == ["run_1", "run_2"]
    assert all(run.attempts == 1 for run in found)


def test_event_files_of_one_directory_are_one_run_and_split_folders_belong_to_their_parent() -> None:
    found = runs(
        read("exp/train/events.1", range(20), log_format="tensorboard"),
        read("exp/validation/events.2", range(20), scale=2.0, log_format="tensorboard"),
    )
    assert [(run.name, [(c.tag, c.split) for c in run.curves]) for run in found] == [
        ("exp", [("loss", "train"), ("loss", "val")])
    ]


def test_add_scalars_directories_belong_to_their_parent() -> None:
    found = runs(
        read("exp/Loss_train/events.1", range(9), tag="Loss", log_format="tensorboard"),
        read("exp/Loss_val/events.2", range(9), tag="Loss", scale=2.0, log_format="tensorboard"),
    )
    assert [(run.name, sorted((c.tag, c.split) for c in run.curves)) for run in found] == [
        ("exp", [("Loss/train", "train"), ("Loss/val", "val")])
    ]


def test_two_runs_in_one_event_directory_are_told_apart() -> None:
    found = runs(
        read("exp/events.1", range(20), log_format="tensorboard"),
        read("exp/events.2", range(20), scale=2.0, log_format="tensorboard"),
    )
    assert [run.name for run in found] == ["exp", "exp#2"]


def test_names_keep_their_extension_where_two_would_collide() -> None:
    found = runs(read("a.log", range(9)), read("a.csv", range(9), scale=7.0))
    assert [run.name for run in found] == ["a.csv", "a.log"]


def test_event_files_in_the_folder_given_have_its_name() -> None:
    (one,) = runs(read("events.1", range(9), log_format="tensorboard"))
    assert one.name == "logs"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("train.log", "train"), ("train_resume.log", "train"), ("train.1.log", "train"), ("metrics_1.csv", "metrics"),
        ("20240301_120000.log.json", "20240301_120000"), ("20240301_120000.log_resume.json", "20240301_120000"),
        ("run_2024-03-01.txt", "run"), ("resnet50.log", "resnet50"), ("resumed_1.log", "resumed"),
    ],
)  # fmt: skip
def test_stems(name: str, expected: str) -> None:
    assert stem(name) == expected


def test_parts_are_ordered_by_epochs_where_only_one_of_them_has_steps() -> None:
    def part(path: str, epochs: Sequence[int], steps: bool) -> Read:
        builder = TableBuilder()
        for line, epoch in enumerate(epochs, 1):
            builder.add("loss", 1 + 5 / (1 + epoch), line, epoch=epoch, **({"step": 100.0 * epoch} if steps else {}))
        return Read(LogFile(Path("/logs") / path, path), ParsedLog("text", builder.build()), 0.0)

    (one,) = runs(part("train.log", range(1, 16), True), part("train_resume.log", range(13, 31), False))
    assert (one.attempts, len(one.curves[0])) == (2, 30)
