"""How many points of a damaged file other readers recover; each is None where it is not installed."""

from __future__ import annotations

import importlib.util
import logging
import signal
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


READERS: Mapping[str, tuple[str, Reader]] = {  # what must be installed, and the reader
    "EventAccumulator": ("tensorboard", event_accumulator),
    "tbparse": ("tbparse", tbparse),
    "pandas.read_csv": ("pandas", pandas),
}
OF_FAMILY = {
    "tensorboard": ("EventAccumulator", "tbparse"),
    "csv": ("pandas.read_csv",),
    "keras-csv": ("pandas.read_csv",),
}


def recovered(name: str, file_name: str, content: bytes, truth: Found) -> int | None:
    """How many of the points a reader finds in a file of this name and content; 0 where it fails or takes too long."""
    package, read = READERS[name]
    if importlib.util.find_spec(package) is None:
        return None
    logging.disable()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder, file_name)
        path.write_bytes(content)
        try:
            with _limited():
                return (read(path) & truth).total()
        except Exception:
            return 0


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
