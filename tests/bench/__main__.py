"""Time logdoctor and the named baselines on the same data, in turn, and print the ratios.

    python -m tests.bench [--data DIR] [--only a,caffe,…] [--rounds 3] [--share 1.0] [--readme]

The data (about 1.3 GB, `--share` of it) is made once and kept in DIR. Baselines come with `pip install -e ".[bench]"`;
those not installed are left out. A contender that takes more than ten seconds, and the report on 3,000 runs, run once.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import event_sets, readme, text_sets

ROOT = Path(__file__).parents[2]
SLOW = 10.0  # seconds of CPU
BASE_MEGABYTES, BYTES_A_NUMBER = 250, 100  # what loading may take
MANY, STEPS = (30, 300, 3000), 500  # runs of a directory, and steps of each
EVENT_READERS = ("EventAccumulator", "tbparse", "tensorboard-data-server", "cat")
IMPORTS = "import pandas, scipy.stats, matplotlib.figure"

Measured = Mapping[str, float]


@dataclass(frozen=True)
class DataSet:
    """What is read: `name` is its path below the data folder, `make` writes a share of it there."""

    name: str
    what: str
    make: Callable[[Path, float], None]
    baselines: Sequence[str]


def _events(name: str) -> Callable[[Path, float], None]:
    return lambda path, share: event_sets.write_set(name, path, share)


SETS = (
    DataSet("a", "events: 1,000,000 scalars, 1 file", _events("a"), EVENT_READERS),
    DataSet("b", "events: 300 runs × 8,000 scalars", _events("b"), EVENT_READERS),
    DataSet("c", "events: 100,000 scalars in 500 MB", _events("c"), EVENT_READERS),
    DataSet("d", "events: 500,000 TF2 scalars", _events("d"), EVENT_READERS),
    DataSet("e", "events: 200,000 scalars, 20 an event", _events("e"), EVENT_READERS),
    DataSet("caffe.log", "Caffe log, 100 MB", lambda path, share: text_sets.write_caffe(path, 100 * share),
            ("line iteration", "cat")),
    DataSet("pytorch.log", "PyTorch print, 50 MB", lambda path, share: text_sets.write_pytorch(path, 50 * share),
            ("line iteration", "runmedic")),
    DataSet("metrics.csv", "CSV, 200,000 rows", lambda path, share: text_sets.write_csv(path, int(200_000 * share)),
            ("pandas.read_csv", "csv", "trainspotter", "runmedic")),
    DataSet("metrics.jsonl", "JSON lines, 200,000 rows",
            lambda path, share: text_sets.write_json_lines(path, int(200_000 * share)),
            ("orjson", "json", "trainspotter", "runmedic")),
)  # fmt: skip


def main() -> None:
    arguments = _arguments()
    data = Path(arguments.data)
    wanted = arguments.only.split(",") if arguments.only else [*(one.name for one in SETS), "commands", "many"]
    lines = ["| data | logdoctor, CPU s (MB; bound) | the same work takes |", "|---|---|---|"]
    for one in (one for one in SETS if one.name in wanted):
        path = data / one.name
        if not path.exists():
            _say(f"making {path}")
            one.make(path, arguments.share)
        lines.append(_row(one, _rounds(("logdoctor", *one.baselines), path, arguments.rounds)))
    if "commands" in wanted or "many" in wanted:
        lines += ["", *_commands(data, arguments.rounds, "commands" in wanted, "many" in wanted)]
    table = "\n".join([*lines, "", _machine()])
    print(table)
    if arguments.readme:
        readme.write(ROOT / "README.md", table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Speed as ratios to named baselines.")
    parser.add_argument("--data", default=str(Path(tempfile.gettempdir(), "logdoctor-bench")), metavar="DIR")
    parser.add_argument("--only", metavar="NAMES", help=f"of {', '.join(one.name for one in SETS)}, commands, many")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0, help="of the usual amount of data")
    parser.add_argument("--readme", action="store_true", help="put what was measured into the tables of README.md")
    return parser.parse_args()


def _rounds(names: Sequence[str], path: Path, rounds: int) -> dict[str, list[Measured]]:
    """All contenders in turn, round after round: the machine's moods fall on all of them."""
    found: dict[str, list[Measured]] = {}
    for number in range(rounds):
        for name in names:
            if number and (name not in found or found[name][0]["cpu"] > SLOW):
                continue
            measured = _measure(name, path)
            if "missing" in measured:
                _say(f"{name} is left out: {measured['missing']}")
                continue
            _say(f"{path.name}: {name}: {measured['cpu']:.3f} s")
            found.setdefault(name, []).append(measured)
    return found


def _measure(name: str, path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.contenders", name, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=_environment())
    if done.returncode:
        return {"missing": f"failed: {done.stderr.strip().splitlines()[-1:]}"}  # type: ignore[dict-item]
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "parsers")))}


def _row(one: DataSet, found: Mapping[str, Sequence[Measured]]) -> str:
    ours = _median(found["logdoctor"], "cpu")
    memory, numbers = (_median(found["logdoctor"], figure) for figure in ("megabytes", "numbers"))
    bound = BASE_MEGABYTES + BYTES_A_NUMBER * numbers / 1e6
    others = [
        f"{name} {_ratio(_median(measured, 'cpu') / ours)}" for name, measured in found.items() if name != "logdoctor"
    ]
    return f"| {one.what} | {ours:.2f} ({memory:.0f}; {bound:.0f}) | {' · '.join(others)} |"


def _median(measured: Iterable[Measured], figure: str) -> float:
    return statistics.median(one[figure] for one in measured)


def _ratio(value: float) -> str:
    return f"×{value:.0f}" if value >= 10 else f"×{value:.1f}" if value >= 1 else f"×{value:.2f}"


@dataclass(frozen=True)
class Whole:
    """A whole process, imports and all; `shares` is what its figures are divided by (runs of a directory)."""

    name: str
    arguments: Sequence[str]
    shares: int = 1


def _commands(data: Path, rounds: int, small_ones: bool, large_ones: bool) -> list[str]:
    """Whole commands as users start them; seconds of CPU and of wall time, and the largest process."""
    small, runs = data / "small.log", data / "runs"
    text_sets.write_caffe(small, 0.1)
    for count in MANY if large_ones else MANY[:2]:
        if not (runs / str(count)).exists():
            _say(f"making {runs / str(count)}")
            event_sets.write_runs(runs / str(count), count, STEPS)
    with tempfile.TemporaryDirectory() as folder:
        report = ["-m", "logdoctor.cli", "report", "-q", "-o", f"{folder}/report"]
        few, more, many = (
            Whole(f"report with plots, {n} runs × 4 × {STEPS}, each", [*report, str(runs / str(n))], n) for n in MANY
        )
        tbparse = Whole("tbparse loading them", ["-m", "tests.bench.contenders", "tbparse", str(data / "b")])
        small_pairs = (
            (Whole("`logdoctor --help`", ["-m", "logdoctor.cli", "--help"]),
             Whole("`import click`", ["-c", "import click"])),
            (Whole("report with a plot on one small log", [*report, str(small)]), Whole(f"`{IMPORTS}`", ["-c", IMPORTS])),
            (more, few),
        )  # fmt: skip
        large_pairs = (
            (many, few),
            (Whole("report with plots, 300 runs × 4 × 2,000", [*report, str(data / "b")]), tbparse),
        )  # fmt: skip
        lines = ["| command | CPU s (wall s, MB) | against | ratio of CPU (of wall) |", "|---|---|---|---|"]
        for ours, theirs in (*(small_pairs if small_ones else ()), *(large_pairs if large_ones else ())):
            times = 1 if ours.shares > 1 or theirs is tbparse else rounds
            lines.append(_pair(ours, theirs, [(_whole(ours), _whole(theirs)) for _ in range(times)]))
    return lines


def _pair(ours: Whole, theirs: Whole, found: Sequence[tuple[Sequence[float], Sequence[float]]]) -> str:
    mine, others = (
        [statistics.median(values) for values in zip(*side, strict=True)] for side in zip(*found, strict=True)
    )
    shown = [f"{cpu:.3g} ({wall:.3g}, {peak:.0f})" for cpu, wall, peak in (mine, others)]
    ratios = f"{mine[0] / others[0]:.2f} ({mine[1] / others[1]:.2f})"
    return f"| {ours.name} | {shown[0]} | {theirs.name}: {shown[1]} | {ratios} |"


def _whole(one: Whole) -> tuple[float, float, float]:
    """CPU and wall seconds (a share) of a process and those it starts, and the megabytes of the largest of them."""
    wall = time.monotonic()
    pid = os.posix_spawn(
        sys.executable, [sys.executable, *one.arguments], _environment(), file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        ],
    )  # fmt: skip
    _, status, used = os.wait4(pid, 0)
    wall = time.monotonic() - wall
    if status:
        raise SystemExit(f"{one.name} failed")
    cpu = used.ru_utime + used.ru_stime
    _say(f"{one.name}: {cpu:.2f} s, wall {wall:.2f} s, {used.ru_maxrss / 1024:.0f} MB")
    return cpu / one.shares, wall / one.shares, used.ru_maxrss / 1024


def _machine() -> str:
    versions = ".".join(map(str, sys.version_info[:2]))
    return (
        f"*{datetime.date.today():%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()}, Python {versions}, at a load of "
        f"{os.getloadavg()[0]:.0f}; medians, each row one run of the command. ×80: eighty times the CPU time of logdoctor. "
        f"In brackets the memory taken and a bound of {BASE_MEGABYTES} MB and {BYTES_A_NUMBER} bytes a number.*"
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
