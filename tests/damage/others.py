"""How many points of a damaged file other readers recover; those that are not installed are left out."""

from __future__ import annotations

import csv
import importlib.util
import logging
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

SECONDS = 20  # for one file

Found = Counter[tuple[str, float]]  # tag and value of each point
Reader = Callable[[Path], Found]


def event_accumulator(path: Path) -> Found:
    """TensorBoard's own reader, nothing sampled."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    found: Found = Counter()
    events = EventAccumulator(str(path.parent), {"scalars": 0, "tensors": 0, "histograms": 1, "images": 1})
    events.Reload()
    for tag in events.Tags()["scalars"]:
        found.update((tag, float(each.value)) for each in events.Scalars(tag))
    for tag in events.Tags()["tensors"]:
        arrays = (make_ndarray(each.tensor_proto) for each in events.Tensors(tag))
        found.update((tag, float(array)) for array in arrays if array.size == 1 and array.dtype.kind == "f")
    return found


def tbparse(path: Path) -> Found:
    """tbparse's long table of scalars and of the tensors that TF2 writes for them."""
    from tbparse import SummaryReader

    reader = SummaryReader(str(path.parent), pivot=False)
    found: Found = Counter()
    for frame in (reader.scalars, reader.tensors):
        for tag, value in zip(frame.get("tag", ()), frame.get("value", ()), strict=True):
            if getattr(value, "size", 1) == 1:
                found[tag, float(value)] += 1
    return found


def pandas(path: Path) -> Found:
    """Every number of every named column."""
    import pandas as pd

    frame = pd.read_csv(path).select_dtypes("number")
    return Counter((str(name), float(value)) for name in frame for value in frame[name].dropna())


def parse_log(script: Path) -> Reader:
    """Caffe's own tools/extra/parse_log.py, run as users run it; its columns have names of their own: told by value."""

    def read(path: Path) -> Found:
        command = [sys.executable, str(script.resolve()), path.name, "."]
        subprocess.run(command, cwd=path.parent, capture_output=True, timeout=SECONDS, check=True)
        found: Found = Counter()
        for table in sorted(path.parent.glob(f"{path.name}.t*")):
            with table.open(newline="") as stream:
                for row in csv.DictReader(stream):
                    found.update(("", float(row[name])) for name in row if name not in ("NumIters", "Seconds"))
        return found

    return read


@contextmanager
def caffe_script(source: Path) -> Iterator[Path]:
    """A copy of parse_log.py and what it imports, which runs under Python 3: their `print "…"` is that of Python 2.

    `source`: parse_log.py with extract_seconds.py beside it, or a packed source tree of Caffe.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, text in _scripts(source):
            mended = re.sub(r"^(\s*)print ([^(\n].*)$", r"\1print(\2)", text, flags=re.MULTILINE)
            Path(folder, name).write_text(mended, "utf-8")
        yield Path(folder, "parse_log.py")


def _scripts(source: Path) -> Iterator[tuple[str, str]]:
    names = ("parse_log.py", "extract_seconds.py")
    if not tarfile.is_tarfile(source):
        yield from ((name, source.with_name(name).read_text("utf-8")) for name in names)
        return
    with tarfile.open(source) as packed:
        for member in packed.getmembers():
            stream = (
                packed.extractfile(member) if member.name.endswith(tuple(f"tools/extra/{n}" for n in names)) else None
            )
            if stream is not None:
                yield Path(member.name).name, stream.read().decode("utf-8")


INSTALLED: Mapping[str, tuple[str, Reader]] = {  # what must be installed, and the reader
    "EventAccumulator": ("tensorboard", event_accumulator),
    "tbparse": ("tbparse", tbparse),
    "pandas.read_csv": ("pandas", pandas),
}
OF_FAMILY = {
    "tensorboard": ("EventAccumulator", "tbparse"),
    "csv": ("pandas.read_csv",),
    "keras-csv": ("pandas.read_csv",),
}


def readers_of(family: str, script: Path | None) -> Mapping[str, Reader]:
    """The other readers of a family that are at hand. `script`: where Caffe's parse_log.py lies."""
    chosen = {name: INSTALLED[name] for name in OF_FAMILY.get(family, ())}
    found = {name: read for name, (package, read) in chosen.items() if importlib.util.find_spec(package)}
    return {**found, "parse_log.py": parse_log(script)} if family == "caffe" and script else found


def recovered(read: Reader, file_name: str, content: bytes, truth: Found) -> int:
    """How many of the points a reader finds in a file of this name and content; 0 where it fails or takes too long."""
    logging.disable()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder, file_name)
        path.write_bytes(content)
        try:
            with _limited():
                found = read(path)
        except Exception:
            return 0
    if all(tag == "" for tag, _ in found):
        truth = Counter(("", value) for _, value in truth.elements())
    return (found & truth).total()


@contextmanager
def _limited() -> Iterator[None]:
    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
