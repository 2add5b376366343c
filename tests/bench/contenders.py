"""What is timed: for each contender what it imports first (not timed), and its work on a path (timed).

    python -m tests.bench.contenders NAME PATH     one line of JSON: CPU and wall seconds, peak memory, numbers read

CPU is user and system time of the process and of the processes it started.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Work = Callable[[Path], int]

IDLE = 0.5  # seconds without work after which a server has loaded everything


def logdoctor() -> Work:
    """The common DataFrame of everything under the path."""
    import pandas  # noqa: F401

    import logdoctor as package
    from logdoctor import frame, read  # noqa: F401

    return lambda path: len(package.load(path))


def event_accumulator() -> Work:
    """All scalars of all files, nothing sampled; TF2's tensors turned into numbers."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    def work(path: Path) -> int:
        numbers = 0
        for folder in sorted({file.parent for file in path.rglob("*tfevents*")}):
            events = EventAccumulator(str(folder), {"scalars": 0, "tensors": 0, "histograms": 1, "images": 1})
            events.Reload()
            for tag in events.Tags()["scalars"]:
                numbers += len([(e.wall_time, e.step, e.value) for e in events.Scalars(tag)])
            for tag in events.Tags()["tensors"]:
                numbers += len(
                    [(e.wall_time, e.step, make_ndarray(e.tensor_proto).item()) for e in events.Tensors(tag)]
                )
        return numbers

    return work


def tbparse() -> Work:
    """Its DataFrame of scalars."""
    from tbparse import SummaryReader

    def work(path: Path) -> int:
        kinds = {"tensors"} if path.name == "d" else {"scalars"}
        reader = SummaryReader(str(path), event_types=kinds, extra_columns={"wall_time", "dir_name"})
        return len(reader.tensors if path.name == "d" else reader.scalars)

    return work


def data_server() -> Work:
    """TensorBoard's Rust server until everything is loaded, checksums on; handing the numbers out is not counted."""
    from tensorboard_data_server import server_binary

    def work(path: Path) -> int:
        command = [server_binary(), "--logdir", str(path), "--reload", "once", "--checksum", "--port", "0",
                   "--port-file", os.devnull, "--samples-per-plugin", "scalars=all"]  # fmt: skip
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
            used, since = -1.0, time.monotonic()
            while time.monotonic() - since < IDLE:
                time.sleep(0.05)
                now = sum(map(int, Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
                if now != used:
                    used, since = now, time.monotonic()
            server.terminate()
        return 0

    return work


def trainspotter() -> Work:
    """Its series of one file or folder."""
    from trainspotter import load_run

    def work(path: Path) -> int:
        load_run(path)
        return 0

    return work


def runmedic() -> Work:
    """Its series of one file or folder."""
    from runmedic.loaders import load_dir, load_file

    def work(path: Path) -> int:
        load_dir(path) if path.is_dir() else load_file(path)
        return 0

    return work


def pandas_csv() -> Work:
    """`pandas.read_csv` as it comes."""
    import pandas as pd

    return lambda path: int(pd.read_csv(path).count().sum())


def csv_module() -> Work:
    """The rows of the csv module, nothing converted."""

    def work(path: Path) -> int:
        with path.open(newline="") as stream:
            return sum(len(row) for row in csv.reader(stream))

    return work


def orjson() -> Work:
    """`orjson.loads` of each line."""
    import orjson as package

    def work(path: Path) -> int:
        with path.open("rb") as stream:
            return sum(len(package.loads(line)) for line in stream)

    return work


def json_module() -> Work:
    """`json.loads` of each line."""

    def work(path: Path) -> int:
        with path.open("rb") as stream:
            return sum(len(json.loads(line)) for line in stream)

    return work


def line_iteration() -> Work:
    """`for line in file`, bytes, nothing done with them."""

    def work(path: Path) -> int:
        with path.open("rb") as stream:
            return sum(1 for _ in stream)

    return work


def cat() -> Work:
    """`cat` of every file."""

    def work(path: Path) -> int:
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        subprocess.run(["cat", *files], stdout=subprocess.DEVNULL, check=True)
        return 0

    return work


CONTENDERS: dict[str, Callable[[], Work]] = {
    "logdoctor": logdoctor,
    "EventAccumulator": event_accumulator,
    "tbparse": tbparse,
    "tensorboard-data-server": data_server,
    "trainspotter": trainspotter,
    "runmedic": runmedic,
    "pandas.read_csv": pandas_csv,
    "csv": csv_module,
    "orjson": orjson,
    "json": json_module,
    "line iteration": line_iteration,
    "cat": cat,
}


def children_seconds() -> float:
    """User and system time of the processes this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(name: str, path: str) -> dict[str, Any]:
    """Time one contender on a path; `{"missing": …}` where its package is not installed."""
    try:
        work = CONTENDERS[name]()
    except ImportError as error:
        return {"missing": str(error)}
    cpu, wall = time.process_time() + children_seconds(), time.monotonic()
    numbers = work(Path(path))
    cpu, wall = time.process_time() + children_seconds() - cpu, time.monotonic() - wall
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"cpu": cpu, "wall": wall, "megabytes": peak / 1024, "numbers": numbers}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
