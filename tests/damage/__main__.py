"""Damage the sample logs at random, read them, and print how many points are recovered.

    python -m tests.damage [--count 3000] [--seed TEXT] [--parse-log FILE] [--readme]
    python -m tests.damage --every-cut 65536

Exits with 1 if a number is wrong, or a point is lost that no damage touched and no problem names. Other readers come
with `pip install -e ".[bench]"`; those not installed are left out. Caffe's parse_log.py is in the source archive of the
package brocolli-caffe: `pip download --no-deps --no-binary :all: brocolli-caffe==9.0.2`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from tests.damage.accounting import examine
from tests.damage.damages import Damage
from tests.damage.others import Reader, caffe_script, readers_of, recovered
from tests.damage.sample import ROOT, Sample, damages, every_cut, families

SHOWN = 20  # faults


@dataclass
class Tally:
    """What became of one family: damaged files, their points, those left intact, those read by whom, and faults."""

    files: int = 0
    whole: int = 0
    intact: int = 0
    by: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def main() -> int:
    """The exit code."""
    arguments = argparse.ArgumentParser(prog="python -m tests.damage", description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    arguments.add_argument("--count", type=int, default=3000, help="of damages (default: 3000)")
    arguments.add_argument("--seed", default="", help="any text: other damages (default: those of the README)")
    arguments.add_argument("--readme", action="store_true", help="put the table into README.md")
    arguments.add_argument("--parse-log", type=Path, metavar="FILE", help="Caffe's parse_log.py, or a .tar.gz with it")
    arguments.add_argument("--every-cut", type=int, metavar="BYTES", help="cut samples up to this size at every byte")
    given = arguments.parse_args()
    samples = families()
    with caffe_script(given.parse_log) if given.parse_log else nullcontext() as script:
        tallies = {}
        for name, logs in samples.items():
            chosen = damages(name, logs, -(-given.count // len(samples)), given.seed)
            if given.every_cut:
                chosen = every_cut(logs, given.every_cut)
            tallies[name] = tally(chosen, readers_of(name, script))
    faults = [fault for one in tallies.values() for fault in one.faults]
    print(table := report(tallies))
    print(*faults[:SHOWN], sep="\n", file=sys.stderr)
    if given.readme and not faults:
        write_readme(table)
    return 1 if faults else 0


def tally(damaged: Iterable[tuple[Sample, Damage]], others: Mapping[str, Reader]) -> Tally:
    """What is read of damaged logs of a family, by logdoctor and by others."""
    found = Tally()
    for sample, damage in damaged:
        outcome = examine(sample.path, sample.content, sample.points, damage)
        found.files += 1
        found.whole += outcome.whole
        found.intact += outcome.intact
        found.by["logdoctor"] += outcome.recovered
        where = f"{sample.path.name}, {damage.kind} at byte {damage.start}"
        found.faults += [f"{where}: {fault}" for fault in (*outcome.wrong, *outcome.silent)]
        truth = Counter((point.tag, float(point.number)) for point in sample.points)
        for name, read in others.items():
            found.by[name] += recovered(read, sample.path.name, damage.of(sample.content), truth)
    return found


def report(tallies: Mapping[str, Tally]) -> str:
    """A row for each family, and the sum."""
    lines = [
        "| format | damaged files | points in them | left intact | logdoctor reads | others read |",
        "|---|---:|---:|---:|---:|---|",
    ]
    lines += [_row(name, one) for name, one in tallies.items() if one.files]
    everything = Tally()
    for one in tallies.values():
        everything.files, everything.whole = everything.files + one.files, everything.whole + one.whole
        everything.intact += one.intact
        everything.by["logdoctor"] += one.by["logdoctor"]
    faults = sum(len(t.faults) for t in tallies.values())
    lines += [_row("all", everything), "", f"Wrong numbers, and points lost without a word: {faults}."]
    return "\n".join(lines)


def _row(name: str, one: Tally) -> str:
    others = [f"{reader} {count / one.whole:.1%}" for reader, count in one.by.items() if reader != "logdoctor"]
    intact, read = one.intact / one.whole, one.by["logdoctor"] / one.whole
    return f"| {name} | {one.files:,} | {one.whole:,} | {intact:.1%} | {read:.1%} | {', '.join(others)} |"


def write_readme(table: str) -> None:
    """Replace the table in README.md."""
    path = ROOT / "README.md"
    marked = re.compile(r"(<!-- damage -->\n).*?(<!-- /damage -->)", re.DOTALL)
    path.write_text(marked.sub(lambda found: f"{found[1]}{table}\n{found[2]}", path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
