"""Runs that come one after the other are those that all files together give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from assembled import assemble
from test_grouping import read

from logdoctor.assemble import grouped
from logdoctor.discover import discover
from logdoctor.gathering import folder_by_folder, gather
from logdoctor.grouping import Group
from logdoctor.options import Options
from logdoctor.read import read_runs
from logdoctor.reading import Read, all_parsers, read_files
from logdoctor_parsers.tensorboard import PARSER

SAMPLES = Path(__file__).parents[1] / "sample_logs"
EVENTS = PARSER.name


def groups(*reads: Read) -> list[Group]:
    order = folder_by_folder(each.file for each in reads)
    by_file = {id(each.file): each for each in reads}
    return [group for found, _ in gather((by_file[id(file)] for file in order), grouped) for group in found]


def files(found: Sequence[Group]) -> list[set[str]]:
    return [{each.file.name for each in group.reads} for group in found]


def test_a_run_is_complete_when_the_next_folder_begins() -> None:
    taken: list[str] = []

    def coming() -> Iterator[Read]:
        for name in ("a/run.log", "b/run.log", "c/run.log"):
            taken.append(name)
            yield read(name, range(20))

    first, _ = next(gather(coming(), grouped))
    assert files(first) == [{"a/run.log"}]
    assert taken == ["a/run.log", "b/run.log"]


def test_splits_in_folders_of_their_own_are_one_run() -> None:
    parts = [read(f"run/{part}/events", range(20), log_format=EVENTS) for part in ("validation", "train")]
    other = read("run2/events", range(20), log_format=EVENTS, scale=2.0)
    assert files(groups(*parts, other)) == [{"run/validation/events", "run/train/events"}, {"run2/events"}]


def test_a_log_beside_the_folders_of_runs_joins_its_own() -> None:
    ones = [read(f"{name}/events", range(20), log_format=EVENTS, scale=scale) for name, scale in (("a", 1), ("b", 3))]
    log = read("train.log", range(20), digits=4, scale=3.0)
    assert files(groups(log, *ones)) == [{"a/events"}, {"train.log", "b/events"}]


def test_the_samples_give_the_runs_of_all_files_at_once() -> None:
    found = discover([str(SAMPLES)])
    reads = [each for each in read_files(found.files, all_parsers()) if isinstance(each, Read)]
    together, _ = assemble(reads, found.root)
    apart, _ = read_runs([str(SAMPLES)], Options())
    assert len(apart) > 20
    assert sorted((r.name, len(r.sources), sum(map(len, r.curves))) for r in apart) == sorted(
        (r.name, len(r.sources), sum(map(len, r.curves))) for r in together
    )
